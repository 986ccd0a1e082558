"""Every latency row ever measured by this user on this machine, one JSON line each.

A line holds when it was measured, of which commit, and the row itself: `{"at", "revision", "row"}`.
Lines are only ever appended, whole, one process at a time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from mobile.latency_row import SCHEMA, LatencyRow, parse
from pipeline.errors import UserError
from pipeline.files import unwritable
from pipeline.lock import in_turn

_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Entry:
    """One measurement of the past."""

    at: str
    """When, in UTC, as ISO 8601 to the second."""
    revision: str | None
    """Commit of the checkout that measured, `+` behind it where files had changed; None where
    there is no checkout."""
    row: LatencyRow


def path() -> Path:
    """FOVEA_HISTORY, or a file in the user's data folder."""
    chosen = os.environ.get("FOVEA_HISTORY")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("fovea")) / "latency.jsonl"


def append(rows: Iterable[LatencyRow]) -> Path:
    """Add rows, dated now; returns the file.

    Raises `UserError` when it cannot be written: what was in it stays, and a line cut short by a
    full disk is taken back.
    """
    file, revision = path(), revision_here()
    at = datetime.now(UTC).isoformat(timespec="seconds")
    lines = [{"at": at, "revision": revision, "row": row.row()} for row in rows]
    data = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines).encode()
    with in_turn(file.with_name(f".{file.name}.lock"), "another measurement"):
        try:
            with file.open("ab") as stream:
                before = stream.tell()
                try:
                    stream.write(data)
                    stream.flush()
                except OSError:
                    os.truncate(file, before)
                    raise
        except OSError as error:
            raise unwritable(file, error) from error
    return file


def keep(rows: Iterable[LatencyRow]) -> None:
    """`append`, where losing the history must not lose the measurement: says so and goes on."""
    try:
        append(rows)
    except UserError as error:
        print(f"not added to the history: {error}", file=sys.stderr)


def read(file: Path) -> list[Entry]:
    """All measurements, oldest first; those of older versions' rows are left out.

    Raises `UserError` naming file and line for what is no measurement.
    """
    if not file.is_file():
        raise UserError(f"{file} is missing; measure first: fovea bench outputs/bundle")
    found = []
    for number, line in enumerate(file.read_text().splitlines(), 1):
        where = f"{file}:{number}"
        try:
            value = json.loads(line)
            at, revision, row = value["at"], value["revision"], value["row"]
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(f"{where} is no measurement; remove that line") from error
        if isinstance(row, dict) and row.get("schema") in range(SCHEMA):
            continue
        found.append(Entry(at, revision, parse(row, where)))
    return found


def revision_here() -> str | None:
    """The commit of this code's checkout, `+` behind it where tracked files differ from it."""
    git = ("git", "-C", str(_ROOT))
    try:
        commit = _said(*git, "rev-parse", "--short=12", "HEAD").strip()
        changed = _said(*git, "status", "--porcelain", "--untracked-files=no").strip()
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{commit}+" if changed else commit


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    return done.stdout
