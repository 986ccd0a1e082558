"""Images with density maps and no fixations."""

from __future__ import annotations

from pathlib import Path

from pipeline.data.images import SUFFIXES
from pipeline.data.layouts.listing import annotated_splits, by_stem, images
from pipeline.data.layouts.registry import layout
from pipeline.data.records import Record


@layout("pairs", annotated_splits("images", "maps"), general=1)
def pairs(root: Path, split: str) -> list[Record]:
    """images/SPLIT/* and maps/SPLIT/* with the same names."""
    maps = root / "maps" / split
    found = by_stem(maps, SUFFIXES)
    return [
        Record(image.stem, image, found.get(image.stem, maps / f"{image.stem}.png"))
        for image in images(root, f"images/{split}", "pairs")
    ]
