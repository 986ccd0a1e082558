"""Any folder of photographs."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from pipeline.data.images import SUFFIXES
from pipeline.data.layouts import listing
from pipeline.data.layouts.registry import layout
from pipeline.data.records import Record
from pipeline.errors import UserError


def _splits(root: Path) -> list[str]:
    # A home folder given by mistake has millions of files: enough is enough.
    seen = islice(root.rglob("*"), 100_000)
    return ["."] if any(p.suffix.lower() in SUFFIXES for p in seen) else []


@layout("folder", _splits, general=2)
def folder(root: Path, split: str) -> list[Record]:
    """Any images below SPLIT (`.`: the root itself), folders inside it included."""
    top = listing.folder(root, split, "folder")
    files = [f for f in top.rglob("*") if f.suffix.lower() in SUFFIXES and f.is_file()]
    if not files:
        raise UserError(f"no image ({', '.join(SUFFIXES)}) in {top} or below it")
    return [Record(file.relative_to(root).as_posix(), file) for file in files]
