"""The JSON of SALICON's first release: `fixations_train2014.json`, `fixations_val2014.json`.

COCO's form: `images` with `id`, `file_name`, `height` and `width`, and `annotations`, one for each
viewer of an image, with `image_id` and `fixations`: every sample of the mouse, [row, column] from 1
in whole pixels (`buildFixMap` of the release's API). The first draft of the API came with
[column, row]; a file of those is told by its rows, which reach beyond the image.

The files hold up to 818 MB: they are mapped and searched for their flat objects once, and only an
image's own annotations are parsed.
"""

from __future__ import annotations

import functools
import json
import mmap
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.fixations import Fixations, of_viewers
from pipeline.data.gaze.registry import file_of, reader
from pipeline.data.images import MAX_PIXELS
from pipeline.data.records import Record
from pipeline.errors import UserError

_OBJECT = re.compile(rb"\{[^{}]*\}")
_OF_IMAGE = re.compile(rb'"image_id"\s*:\s*(\d{1,18})')
_IMAGE = re.compile(rb'"file_name"')

Span = tuple[int, int]


@dataclass(frozen=True)
class Index:
    """Where in a file what is written."""

    images: dict[str, tuple[int, int, int]]
    """By file name: id, height, width."""
    annotations: dict[int, list[Span]]
    """By image id: first byte of each annotation and the one after its last."""


@reader("salicon_json")
def salicon_json(record: Record) -> Fixations:
    """All samples of all viewers of the record's image.

    Raises `UserError`, naming the file, when it is damaged or does not know the image.
    """
    path = file_of(record)
    try:
        stat = path.stat()
    except OSError as error:
        raise UserError(f"fixation file {path} is missing; restore it") from error
    index = _index(path, (stat.st_size, stat.st_mtime_ns))
    if record.image.name not in index.images:
        raise UserError(f"{path} has no image {record.image.name}; restore it, or remove the image")
    number, height, width = index.images[record.image.name]
    spans = index.annotations.get(number, [])
    with path.open("rb") as stream:
        viewers = [_points(_parsed(stream, span, path), path) for span in spans]
    rows = max((points[:, 0].max() for points in viewers if len(points)), default=0)
    if rows > height >= max((p[:, 1].max() for p in viewers if len(p)), default=0):
        raise UserError(
            f"{path} holds [column, row] for {record.image.name}, as the API's first draft did; "
            "get the release of 2015 (2015r1)"
        )
    return of_viewers([points[:, ::-1] - 1 for points in viewers], height, width)


@functools.lru_cache(maxsize=4)
def _index(path: Path, state: tuple[int, int]) -> Index:
    """What a file holds; `state` tells one that has changed."""
    if state[0] == 0:
        raise UserError(f"{path} is empty; restore it")
    images: dict[str, tuple[int, int, int]] = {}
    annotations: dict[int, list[Span]] = defaultdict(list)
    with (
        path.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        for found in _OBJECT.finditer(content):
            owner = _OF_IMAGE.search(content, *found.span())
            if owner is not None:
                annotations[int(owner[1])].append(found.span())
            elif _IMAGE.search(content, *found.span()):
                name, entry = _image(found[0], path)
                if name in images:
                    raise UserError(f"{path} lists {name} twice; restore it")
                images[name] = entry
    if not images:
        raise UserError(
            f"{path} lists no image; expected SALICON's fixations_train2014.json or "
            "fixations_val2014.json"
        )
    return Index(images, dict(annotations))


def _image(data: bytes, path: Path) -> tuple[str, tuple[int, int, int]]:
    try:
        entry = json.loads(data)
        number, height, width = (int(entry[key]) for key in ("id", "height", "width"))
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise UserError(f"{path} holds a broken image entry ({error}); restore it") from error
    if not (height > 0 and width > 0 and height * width <= MAX_PIXELS):
        raise UserError(f"{path} states a size of {height}x{width}; restore it")
    return str(entry["file_name"]), (number, height, width)


def _parsed(stream: Any, span: Span, path: Path) -> Any:
    stream.seek(span[0])
    try:
        return json.loads(stream.read(span[1] - span[0])).get("fixations")
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} holds a broken annotation ({error}); restore it") from error


def _points(value: Any, path: Path) -> NDArray[np.float64]:
    """[row, column] (n, 2) of one viewer."""
    try:
        points = np.array(value or np.zeros((0, 2)), dtype=np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise UserError(f"fixations in {path} are no numbers; restore it") from error
    if value is None or points.ndim != 2 or points.shape[1] != 2:
        raise UserError(f"an annotation in {path} has no 'fixations' [row, column]; restore it")
    return points
