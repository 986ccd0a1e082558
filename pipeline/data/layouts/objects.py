"""Images with masks of their salient objects: DUTS, and the sets that only measure."""

from __future__ import annotations

from pathlib import Path

from pipeline.data.images import SUFFIXES
from pipeline.data.layouts.listing import by_stem, holds_images, images, require_split
from pipeline.data.layouts.registry import layout
from pipeline.data.records import Record

DUTS = ("TR", "TE")


def _duts_splits(root: Path) -> list[str]:
    return [s for s in DUTS if holds_images(root / f"DUTS-{s}" / f"DUTS-{s}-Image")]


@layout("duts", _duts_splits)
def duts(root: Path, split: str) -> list[Record]:
    """DUTS-SPLIT/DUTS-SPLIT-Image/*.jpg and DUTS-SPLIT-Mask/*.png, SPLIT being TR or TE."""
    require_split(split, DUTS, "duts")
    base = f"DUTS-{split}/DUTS-{split}"
    return _paired(root, f"{base}-Image", f"{base}-Mask", "duts")


MASKS = {
    "images": "ground_truth_mask",  # ECSSD
    "imgs": "gt",  # HKU-IS
    "DUT-OMRON-image": "pixelwiseGT-new-PNG",
    "Imgs": "GT",
}
"""Folders of images and of their masks, as the sets are published."""


def _mask_splits(root: Path) -> list[str]:
    return (
        ["all"] if any(holds_images(root / i) for i in MASKS if (root / MASKS[i]).is_dir()) else []
    )


@layout("masks", _mask_splits, general=1)
def masks(root: Path, split: str) -> list[Record]:
    """images/ with ground_truth_mask/ (ECSSD), imgs/ with gt/ (HKU-IS), or DUT-OMRON's."""
    require_split(split, ("all",), "masks")
    found = next((i for i in MASKS if holds_images(root / i)), "images")
    return _paired(root, found, MASKS[found], "masks")


def _paired(root: Path, pictures: str, marks: str, name: str) -> list[Record]:
    folder = root / marks
    found = by_stem(folder, SUFFIXES)
    return [
        Record(image.stem, image, found.get(image.stem, folder / f"{image.stem}.png"))
        for image in images(root, pictures, name)
    ]
