"""SALICON: the files of both challenges, and the JSON of the first release.

Jiang et al., "SALICON: Saliency in Context", CVPR 2015. The release of 2015 and that of the LSUN
2017 challenge share images and folders and differ in the annotation: see `pipeline.data.editions`.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.data.images import SUFFIXES
from pipeline.data.layouts.listing import annotated_splits, by_stem, holds_images, images
from pipeline.data.layouts.registry import layout
from pipeline.data.records import Record
from pipeline.errors import UserError

JSON_SIGMA = 19.0
"""Pixels; how the release's own API blurs fixations to a map (`buildFixMap`)."""


@layout("salicon", annotated_splits("images", "maps", "fixations"), edition=2017)
def salicon(root: Path, split: str) -> list[Record]:
    """images/SPLIT/*.jpg, maps/SPLIT/*.png and fixations/SPLIT/*.mat (SALICON 2017).

    `test` has images only. Fixations may be absent from `train`: learning needs the maps alone.
    """
    found = images(root, f"images/{split}", "salicon")
    if split == "test":
        return [Record(image.stem, image) for image in found]
    maps, fixations = root / "maps" / split, root / "fixations" / split
    drawn, watched = by_stem(maps, SUFFIXES), by_stem(fixations, (".mat",))
    needed = split == "val" or fixations.is_dir()
    return [
        Record(
            image.stem,
            image,
            drawn.get(image.stem, maps / f"{image.stem}.png"),
            watched.get(image.stem, fixations / f"{image.stem}.mat") if needed else None,
        )
        for image in found
    ]


def index_of(root: Path, split: str) -> Path:
    """`fixations_<split>2014.json` in `annotations/` or the root itself; the former if neither."""
    name = f"fixations_{split}2014.json"
    return next((p for p in (root / "annotations" / name, root / name) if p.is_file()),
                root / "annotations" / name)  # fmt: skip


def _json_splits(root: Path) -> list[str]:
    indexed = [split for split in ("train", "val") if index_of(root, split).is_file()]
    if indexed and holds_images(root / _image_folder(root, "test")):
        indexed.append("test")
    return sorted(indexed)


def _image_folder(root: Path, split: str) -> str:
    return f"images/{split}" if (root / "images" / split).is_dir() else split


@layout("salicon2015", _json_splits, edition=2015, fixed=True)
def salicon2015(root: Path, split: str) -> list[Record]:
    """images/SPLIT/*.jpg or SPLIT/*.jpg, and annotations/fixations_SPLIT2014.json (SALICON 2015).

    Its fixations are all samples of the mouse, with no map: the API blurs one from them, and so do
    we. `test` has images only.
    """
    found = images(root, _image_folder(root, split), "salicon2015")
    if split == "test":
        return [Record(image.stem, image) for image in found]
    index = index_of(root, split)
    if not index.is_file():
        raise UserError(f"{index} is missing; restore it: layout salicon2015 needs it")
    return [
        Record(image.stem, image, None, index, reader="salicon_json", blur=JSON_SIGMA)
        for image in found
    ]
