"""The zip of a submission: whole or absent, and the same bytes for the same maps."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

from pipeline.errors import UserError
from pipeline.files import atomic_path

_DATE = (1980, 1, 1, 0, 0, 0)
_UNIX, _MODE = 3, 0o644 << 16
_QUICK = 1


def require_name(path: Path) -> None:
    """Raise `UserError` unless `path` can name a zip."""
    if path.suffix.lower() != ".zip" or path.is_dir():
        raise UserError(f"-o {path}: give the zip to write, such as submission.zip")


def write(path: Path, files: Iterable[tuple[str, bytes]]) -> int:
    """Write `files`, names and contents in their order, to the zip `path`; returns how many.

    Pictures are compressed already and stored as they are. Raises `UserError` when it cannot be
    written; then, and on any other error, what was at `path` before is still there.
    """
    count = 0
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system, entry.external_attr = _UNIX, _MODE
            packed = name.endswith(".npy")
            method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            archive.writestr(entry, content, method, _QUICK if packed else None)
            count += 1
    return count
