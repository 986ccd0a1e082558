"""OSIE: one `fixations.mat` for all images.

`fixations` is a cell array, one struct per image: `img`, its file name, and `subjects`, a cell
array of structs whose `fix_x` and `fix_y` (1, n) are pixels counted from 1.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data import matfile
from pipeline.data.fixations import Fixations, of_viewers
from pipeline.data.gaze.registry import file_of, reader
from pipeline.data.records import Record
from pipeline.errors import UserError

HEIGHT, WIDTH = 600, 800
"""Of every OSIE image; the file does not say."""

Scanpaths = list[NDArray[np.float64]]

_FIELDS = ("img", "subjects", "fix_x", "fix_y")


@reader("osie")
def osie(record: Record) -> Fixations:
    """The fixations of the entry that names the record's image."""
    path = file_of(record)
    stat = path.stat() if path.is_file() else None
    known = _of_file(path, stat and (stat.st_size, stat.st_mtime_ns))
    if record.image.name not in known:
        raise UserError(
            f"{path} has no fixations of {record.image.name}; restore it, or remove the image"
        )
    return of_viewers(known[record.image.name], HEIGHT, WIDTH)


@functools.lru_cache(maxsize=2)
def _of_file(path: Path, _state: tuple[int, int] | None) -> dict[str, Scanpaths]:
    """Scanpaths of every image, by its name; `_state` tells a file that has changed."""
    content, names = matfile.load(path, ("fixations",), _FIELDS)
    if "fixations" not in content:
        raise UserError(
            f"{path} has no 'fixations' (found {', '.join(sorted(names)) or 'nothing'}); expected "
            "OSIE's data/eye/fixations.mat"
        )
    found: dict[str, Scanpaths] = {}
    for number, entry in enumerate(_unwrapped(content["fixations"]), 1):
        image = entry.get("img")
        if not isinstance(image, str) or "subjects" not in entry:
            raise UserError(f"entry {number} of {path} has no 'img' and 'subjects'; restore it")
        if image in found:
            raise UserError(f"{path} has two entries for {image}; restore it")
        found[image] = [_scanpath(viewer, path, image) for viewer in _unwrapped(entry["subjects"])]
    return found


def _unwrapped(value: Any) -> list[dict[str, Any]]:
    """The structs in a cell array, or in a plain struct array."""
    if isinstance(value, matfile.Cells):
        return [struct for cell in value for struct in _unwrapped(cell)]
    if isinstance(value, list):
        return value
    return []


def _scanpath(viewer: dict[str, Any], path: Path, image: str) -> NDArray[np.float64]:
    x, y = viewer.get("fix_x"), viewer.get("fix_y")
    if not (isinstance(x, np.ndarray) and isinstance(y, np.ndarray) and x.size == y.size):
        raise UserError(f"a viewer of {image} in {path} has no 'fix_x' and 'fix_y' of one length")
    return np.stack([x.ravel(), y.ravel()], axis=1) - 1
