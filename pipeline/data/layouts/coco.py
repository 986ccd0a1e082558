"""COCO: photographs without fixations, the pool of the paper (Lin et al., ECCV 2014)."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.data.layouts.listing import folder, holds_images, images
from pipeline.data.layouts.registry import layout
from pipeline.data.records import Record
from pipeline.errors import UserError
from pipeline.files import read_json

_SPLIT = re.compile(r"(train|val|test|test-dev|unlabeled)20\d\d")


def _splits(root: Path) -> list[str]:
    if not root.is_dir():
        return []
    indexed = {p.stem.removeprefix("instances_") for p in root.glob("annotations/instances_*.json")}
    return sorted(
        p.name
        for p in root.iterdir()
        if (p.name in indexed or _SPLIT.fullmatch(p.name)) and holds_images(p)
    )


@layout("coco", _splits)
def coco(root: Path, split: str) -> list[Record]:
    """SPLIT/*.jpg, such as train2017, and annotations/instances_SPLIT.json (COCO 2017).

    The images are unlabelled; the annotations, where there are any (test2017 and unlabeled2017
    have none), say which of them belong to the split.
    """
    index = root / "annotations" / f"instances_{split}.json"
    if not index.is_file():
        return [Record(image.stem, image) for image in images(root, split, "coco")]
    found = folder(root, split, "coco")
    try:
        files = [found / str(entry["file_name"]) for entry in read_json(index)["images"]]
    except (KeyError, TypeError) as error:
        raise UserError(f"{index} is no COCO annotation file: it has no {error}") from error
    return [Record(file.stem, file) for file in files]
