"""Registered weights by the names that configurations use."""

from __future__ import annotations

from pathlib import Path

from pipeline.data import roots
from pipeline.files import sha256_file

NONE = "none"
TORCHVISION = "torchvision"


def weights_path(name: str) -> str | Path | None:
    """What a builder takes: None, `torchvision`, or the registered file.

    Raises `UserError` when nothing is registered under `name`.
    """
    if name == NONE:
        return None
    return name if name == TORCHVISION else roots.resolve(name, "weights")


def weights_hash(name: str) -> str:
    """SHA-256 of a registered file; the name itself where there is none."""
    path = weights_path(name)
    return sha256_file(path) if isinstance(path, Path) else name
