"""One line of `fovea doctor`, and imports tried where they can do no harm."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum

_TIMEOUT_SECONDS = 60


class Mark(Enum):
    """What was found."""

    WORKS = "✓"
    ABSENT = "–"
    """Not there or not tried, and not needed for the rest."""
    BROKEN = "✗"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    mark: Mark
    what: str
    text: str
    mend: str = ""
    """What to do about it."""


def works(what: str, text: str) -> Finding:
    """It works."""
    return Finding(Mark.WORKS, what, text)


def absent(what: str, text: str, mend: str = "") -> Finding:
    """It is not there, which hinders only what `text` says."""
    return Finding(Mark.ABSENT, what, text, mend)


def broken(what: str, text: str, mend: str) -> Finding:
    """It is needed and does not work."""
    return Finding(Mark.BROKEN, what, text, mend)


def tried(code: str) -> tuple[bool, str]:
    """Run Python `code` in a process of its own: whether it ended well, and its last line.

    A broken native library ends the process that loads it, and must not end this one.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, f"not done after {_TIMEOUT_SECONDS} s"
    said = done.stdout if done.returncode == 0 else done.stderr
    lines = [line for line in said.strip().splitlines() if line.strip()]
    last = lines[-1].strip() if lines else f"it ended with status {done.returncode}"
    return done.returncode == 0, last
