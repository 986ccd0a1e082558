"""CAT2000 (Borji and Itti, arXiv:1505.03581), as trainSet.zip and testSet.zip are unpacked."""

from __future__ import annotations

from pathlib import Path

from pipeline.data.images import SUFFIXES
from pipeline.data.layouts.listing import folder, holds_images, require_split
from pipeline.data.layouts.registry import layout
from pipeline.data.records import Record
from pipeline.errors import UserError

SETS = {"train": "trainSet", "test": "testSet"}


def _splits(root: Path) -> list[str]:
    return [
        split
        for split, inside in sorted(SETS.items())
        if any(holds_images(p) for p in (root / inside / "Stimuli").glob("*"))
    ]


@layout("cat2000", _splits)
def cat2000(root: Path, split: str) -> list[Record]:
    """trainSet/Stimuli/CATEGORY/*.jpg, FIXATIONMAPS/…/*.jpg, FIXATIONLOCS/…/*.mat (CAT2000).

    `test` is testSet/Stimuli, images only. An id is `CATEGORY/NAME`. The `Output` folders inside
    the categories hold drawings and are left out.
    """
    require_split(split, tuple(SETS), "cat2000")
    top = folder(root, f"{SETS[split]}/Stimuli", "cat2000")
    found = [
        image
        for category in top.iterdir()
        if category.is_dir()
        for image in category.iterdir()
        if image.suffix.lower() in SUFFIXES
    ]
    if not found:
        raise UserError(f"no image in a category's folder of {top}; restore testSet or trainSet")
    if split == "test":
        return [Record(_id(image), image) for image in found]
    return [
        Record(
            _id(image),
            image,
            top.parent / "FIXATIONMAPS" / f"{_id(image)}.jpg",
            top.parent / "FIXATIONLOCS" / f"{_id(image)}.mat",
            reader="fixation_map",
        )
        for image in found
    ]


def _id(image: Path) -> str:
    return f"{image.parent.name}/{image.stem}"
