"""Registered weights by the names that configurations use."""

from __future__ import annotations

from pathlib import Path

from pipeline import shelf
from pipeline.data import roots
from pipeline.errors import UserError
from pipeline.files import sha256_file
from pipeline.paths import MODEL

NONE = "none"
TORCHVISION = "torchvision"
SHELF = "shelf/"
"""Before a student's name: the checkpoint of its newest entry on the shelf."""


def weights_path(name: str) -> str | Path | None:
    """What a builder takes: None, `torchvision`, or a file: registered, or one on the shelf.

    Raises `UserError` when nothing is registered under `name`, or the shelf has no such student.
    """
    if name == NONE:
        return None
    if name.startswith(SHELF):
        return on_shelf(name.removeprefix(SHELF))
    return name if name == TORCHVISION else roots.resolve(name, "weights")


def on_shelf(student: str) -> Path:
    """Checkpoint of the newest entry of a student. Raises `UserError` where there is none."""
    found = shelf.entries(student)
    if not found:
        known = ", ".join(sorted({home.parent.name for home in shelf.entries()})) or "nothing"
        raise UserError(
            f"the shelf {shelf.root()} holds no {student!r} (it holds {known}); train one first: "
            f"dvc exp run -S student={student}"
        )
    return found[-1] / MODEL


def weights_hash(name: str) -> str:
    """SHA-256 of a registered file; the name itself where there is none."""
    path = weights_path(name)
    return sha256_file(path) if isinstance(path, Path) else name
