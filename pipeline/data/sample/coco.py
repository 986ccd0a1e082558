"""Scenes annotated as COCO does: categories, boxes, areas and run-length masks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle

from pipeline.data.sample.render import Painted
from pipeline.data.sample.scene import Scene
from pipeline.data.sample.things import NAMES

MIN_AREA = 16
"""Things with fewer visible pixels are not annotated."""


def annotate(scene: Scene, painted: Painted) -> list[dict[str, Any]]:
    """One entry per visible thing, without ids."""
    return [
        {
            "category_id": NAMES.index(thing.category) + 1,
            "bbox": _box(mask, top, left),
            "area": int(mask.sum()),
            "segmentation": _encode(mask, top, left, painted.owner.shape),
            "iscrowd": 0,
        }
        for index, thing in enumerate(scene.things)
        for mask, top, left in [_visible(painted.owner, index, thing.x, thing.y, thing.size)]
        if mask.sum() >= MIN_AREA
    ]


def document(images: list[dict[str, Any]], per_image: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """A whole annotation file; ids count from 1 in order."""
    entries: list[dict[str, Any]] = []
    for image, found in zip(images, per_image, strict=True):
        for entry in found:
            entries.append(entry | {"id": len(entries) + 1, "image_id": image["id"]})
    categories = [
        {"id": number, "name": name, "supercategory": "thing"}
        for number, name in enumerate(NAMES, start=1)
    ]
    return {
        "info": {"description": "generated scenes", "version": "1"},
        "licenses": [],
        "images": images,
        "annotations": entries,
        "categories": categories,
    }


def _visible(
    owner: NDArray[np.int16], index: int, x: float, y: float, size: float
) -> tuple[NDArray[np.bool_], int, int]:
    """A thing's mask within the window it can reach, and the window's top left corner."""
    reach = int(size * 1.7) + 6
    top, left = max(0, int(y) - reach), max(0, int(x) - reach)
    window = owner[top : max(top, int(y) + reach), left : max(left, int(x) + reach)]
    return window == index, top, left


def _box(mask: NDArray[np.bool_], top: int, left: int) -> list[int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    width, height = columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1
    return [int(left + columns[0]), int(top + rows[0]), int(width), int(height)]


def _encode(mask: NDArray[np.bool_], top: int, left: int, shape: tuple[int, ...]) -> dict[str, Any]:
    """Run lengths down the columns of the whole picture, compressed as COCO does."""
    height, width = shape
    padded = np.zeros((mask.shape[0] + 2, mask.shape[1]), dtype=np.int8)
    padded[1:-1] = mask
    column, row = np.nonzero(np.diff(padded, axis=0).T)
    edges = (left + column) * height + top + row
    counts = np.diff(np.concatenate([[0], edges, [height * width]])).tolist()
    packed = rle.frPyObjects({"counts": counts, "size": [height, width]}, height, width)
    return {"size": [height, width], "counts": packed["counts"].decode("ascii")}
