"""The `adb` program: one call at a time, its errors in words that say what to do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UserError

OLDEST = (1, 0, 36)
"""The first `adb` that passes on a command's exit status."""
LOST = 255
"""What adb ends with when a command's connection breaks; it says nothing then."""
SERIAL = "ANDROID_SERIAL"
"""adb's own variable that names one of several phones."""
_HELP = "see docs/android.md"
_WORDS = (
    (
        "no devices/emulators found",
        f"no phone is attached; plug it in and allow debugging, {_HELP}",
    ),
    ("unauthorized", "the phone has not allowed this computer; unlock it and accept the question"),
    ("offline", "the phone does not answer (offline); plug it in again, or: adb kill-server"),
    ("more than one device", f"several phones are attached; name one in {SERIAL}"),
    ("no space left on device", "the phone's storage is full; free some in /data/local/tmp"),
    ("read-only file system", "the phone's /data/local/tmp cannot be written"),
    ("not found", "the phone has gone; plug it in again and measure anew"),
    ("closed", "the phone has gone; plug it in again and measure anew"),
    ("connection reset", "the phone has gone; plug it in again and measure anew"),
    ("protocol fault", "adb and the phone do not understand each other; try: adb kill-server"),
)


@dataclass(frozen=True)
class Said:
    """What a command on the phone ended with."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Adb:
    """adb, talking to one phone."""

    program: str
    serial: str

    def shell(self, command: str, seconds: float = 60.0) -> Said:
        """Run a shell command on the phone, whatever its status."""
        done = _call([self.program, "-s", self.serial, "shell", command], seconds)
        if done.status != 0 and _is_adbs_own(done.err):
            raise UserError(_explained(done.err))
        if done.status == LOST and not done.err:
            raise UserError(_explained("closed"))
        return done

    def ask(self, command: str) -> str:
        """Output of a command that has to succeed; `UserError` with its words otherwise."""
        done = self.shell(command)
        if done.status != 0:
            words = " ".join((done.err or done.out).split())[:200]
            raise UserError(f"the phone refuses `{command}` (status {done.status}): {words}")
        return done.out

    def push(self, path: Path, target: str, seconds: float = 600.0) -> None:
        """Copy a file to the phone."""
        done = _call([self.program, "-s", self.serial, "push", str(path), target], seconds)
        if done.status != 0:
            raise UserError(f"{path.name} was not copied: {_explained(done.err or done.out)}")

    def pull(self, source: str, path: Path, seconds: float = 600.0) -> None:
        """Copy a file from the phone."""
        done = _call([self.program, "-s", self.serial, "pull", source, str(path)], seconds)
        if done.status != 0 or not path.is_file():
            raise UserError(f"{source} was not fetched: {_explained(done.err or done.out)}")


def program() -> str | None:
    """Path of adb: on PATH, or in the Android SDK that ANDROID_HOME names."""
    home = os.environ.get("ANDROID_HOME") or os.environ.get("ANDROID_SDK_ROOT")
    beside = shutil.which("adb", path=str(Path(home) / "platform-tools")) if home else None
    return shutil.which("adb") or beside


def connected() -> Adb:
    """Adb and the one phone there is, or the one that ANDROID_SERIAL names.

    Raises `UserError` for no adb, an old one, no phone, several, or one that is not ready.
    """
    found = program()
    if found is None:
        raise UserError(f"adb is not on PATH; install Android's platform tools, {_HELP}")
    _require_recent(found)
    states = _states(_call([found, "devices"], 60.0))
    wanted = os.environ.get(SERIAL)
    if wanted is not None:
        if wanted not in states:
            there = ", ".join(states) or "none"
            raise UserError(f"no phone {wanted} ({SERIAL}) is attached; there: {there}")
        states = {wanted: states[wanted]}
    if not states:
        raise UserError(_explained("no devices/emulators found"))
    if len(states) > 1:
        raise UserError(f"{_explained('more than one device')}: {', '.join(states)}")
    ((serial, state),) = states.items()
    if state != "device":
        raise UserError(_explained(state))
    return Adb(found, serial)


def _require_recent(found: str) -> None:
    said = _call([found, "version"], 60.0).out
    match = re.search(r"version (\d+)\.(\d+)\.(\d+)", said)
    if match is None:
        raise UserError(f"{found} is no adb: it says {said[:80]!r}")
    version = tuple(map(int, match.groups()))
    if version < OLDEST:
        raise UserError(
            f"adb {'.'.join(map(str, version))} is too old: it hides whether a command failed; "
            f"install platform tools with adb {'.'.join(map(str, OLDEST))} or later"
        )


def _states(said: Said) -> dict[str, str]:
    """Serial -> `device`, `unauthorized`, `offline`, … of `adb devices`."""
    if said.status != 0:
        raise UserError(f"adb devices failed: {_explained(said.err or said.out)}")
    lines = said.out.splitlines()
    begun = next((i for i, line in enumerate(lines) if line.startswith("List of devices")), -1)
    pairs = (line.split("\t", 1) for line in lines[begun + 1 :] if "\t" in line)
    return {serial: state.strip() for serial, state in pairs}


def _call(command: list[str], seconds: float) -> Said:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        what = " ".join(command[1:])[:120]
        raise UserError(
            f"adb did not answer within {seconds:.0f} s (adb {what}); plug the phone in again"
        ) from error
    except OSError as error:
        raise UserError(f"{command[0]} cannot be run ({error})") from error
    return Said(done.returncode, done.stdout, done.stderr)


def _is_adbs_own(words: str) -> bool:
    """Whether adb itself complains, and not the command it ran."""
    return any(line.startswith(("error: ", "adb: ")) for line in words.splitlines())


def _explained(words: str) -> str:
    lowered = words.lower()
    advice = next((said for sign, said in _WORDS if sign in lowered), None)
    own = " ".join(words.split())[:200]
    return advice or f"adb says: {own or 'nothing'}"
