"""Where a fetched data set goes, and whether it fits there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import platformdirs

from pipeline.data import roots
from pipeline.errors import UserError

WORK = ".fetch"
"""The folder below a root for what is under way and for the record of what is done."""
RESERVE = 200_000_000
"""Bytes that stay free on the disk, come what may."""


def root_for(name: str, chosen: Path | None) -> Path:
    """The root for the data set `name`: `chosen`, or where it was fetched to, or the user's folder.

    The user's folder is FOVEA_DATASETS/NAME, or what the system provides for data. Raises
    `UserError` when `name` is registered for a folder that was not made by fetching.
    """
    if chosen is not None:
        return chosen.expanduser().absolute()
    registered = roots.registered("data").get(name)
    if registered is None:
        base = os.environ.get("FOVEA_DATASETS")
        folder = Path(base).expanduser() if base else Path(platformdirs.user_data_dir("fovea"))
        return (folder / name).absolute()
    if not (registered / WORK).is_dir():
        raise UserError(
            f"{name} is registered as {registered}, which was not fetched; say where it is to go: "
            f"fovea data fetch {name} --to FOLDER (or forget that one: fovea data remove {name})"
        )
    return registered


def require_room(folder: Path, needed: int, what: str) -> None:
    """Raise `UserError` unless the disk of `folder` has `needed` bytes to spare for `what`."""
    there = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(there).free - RESERVE
    if needed > free:
        raise UserError(
            f"{what} needs {gigabytes(needed)} in {folder}, where {gigabytes(max(0, free))} can be "
            "used; make room and run again, or choose another disk with --to FOLDER"
        )


def gigabytes(size: int) -> str:
    """Bytes for people: GB, or MB below one."""
    return f"{size / 1e9:.1f} GB" if size >= 1_000_000_000 else f"{size / 1e6:.1f} MB"
