"""Locks that end with their process, however that ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from pipeline.errors import UserError
from pipeline.files import unwritable


@contextlib.contextmanager
def alone(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file `path`; `UserError` naming who has it when another process does."""
    with _opened(path) as stream:
        if not _taken(stream):
            raise UserError(
                f"{what} is already at work here ({_holder(stream)}); "
                "wait for it to end, or stop it, and run again"
            )
        yield


@contextlib.contextmanager
def in_turn(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file `path`, waiting for any other process that has it to end."""
    with _opened(path) as stream:
        if not _taken(stream):
            print(f"{what} is at work ({_holder(stream)}); waiting for it to end", file=sys.stderr)
            fcntl.lockf(stream, fcntl.LOCK_EX)
            _sign(stream)
        yield


def _opened(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+")
    except OSError as error:
        raise unwritable(path, error) from error


def _taken(stream: IO[str]) -> bool:
    # Record locks, not flock: forked loader workers would inherit that one and outlive a kill.
    try:
        fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    _sign(stream)
    return True


def _sign(stream: IO[str]) -> None:
    with contextlib.suppress(OSError):  # on a full disk the lock holds without a name
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {platform.node()}")
        stream.flush()


def _holder(stream: IO[str]) -> str:
    stream.seek(0)
    return stream.read(200) or "another process"
