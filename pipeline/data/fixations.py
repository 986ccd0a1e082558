"""Where people looked: SALICON `.mat` files.

One file per image holds a struct array `gaze`, one element per viewer with `location`, `timestamp`
and `fixations` (n, 2) as x, y in pixels counted from 1, and `resolution` as height, width. Files
made by different tools differ in the struct's shape and in how a viewer without fixations is
written; all of them are read. Fixations outside the image or without numbers (trackers lose eyes)
are left out and counted, as saliency benchmarks do.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat

from pipeline.data import matfile
from pipeline.data.images import MAX_PIXELS
from pipeline.errors import UserError
from pipeline.files import atomic_write_bytes


@dataclass(frozen=True)
class Fixations:
    """All viewers' fixations on one image."""

    points: NDArray[np.float32]
    """(N, 2): x, y in pixels of the original image, counted from 0."""
    viewer: NDArray[np.int64]
    """(N,): which viewer each point belongs to."""
    height: int
    width: int
    blank: int = 0
    """Entries that are no finite numbers; `points` leaves them out."""

    def counts(self, height: int | None = None, width: int | None = None) -> NDArray[np.int32]:
        """Fixations per pixel `(height, width)`, with repeats; the original size by default.

        A point lies in the pixel whose centre is nearest; for another size, pixel areas are
        scaled. Points outside the image are left out (see `dropped`).
        """
        rows, columns = self._cells(height or self.height, width or self.width)
        grid = np.zeros((height or self.height, width or self.width), dtype=np.int32)
        np.add.at(grid, (rows, columns), 1)
        return grid

    @property
    def dropped(self) -> int:
        """How many fixations lie outside the image or nowhere."""
        return self.blank + len(self.points) - len(self._cells(self.height, self.width)[0])

    def _cells(self, height: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        # The original cell decides first, so that no size moves a point across the border.
        x = np.floor(self.points[:, 0].astype(np.float64) + 0.5)
        y = np.floor(self.points[:, 1].astype(np.float64) + 0.5)
        inside = (x >= 0) & (x < self.width) & (y >= 0) & (y < self.height)
        rows = np.floor((y[inside] + 0.5) * (height / self.height)).astype(np.int64)
        columns = np.floor((x[inside] + 0.5) * (width / self.width)).astype(np.int64)
        return rows, columns


def of_viewers(viewers: Sequence[NDArray[np.float64]], height: int, width: int) -> Fixations:
    """Fixations of each viewer's points (n, 2): x, y in pixels from 0.

    Points that are no finite numbers are left out and counted.
    """
    kept = [points[np.isfinite(points).all(axis=1)] for points in viewers]
    points = np.concatenate([*kept, np.zeros((0, 2))])
    who = np.repeat(np.arange(len(kept)), [len(points) for points in kept])
    blank = sum(map(len, viewers)) - len(points)
    # No image is as wide as 2^30: far points stay outside, and float32 stays finite.
    places = np.clip(points, -(2.0**30), 2.0**30).astype(np.float32)
    return Fixations(places, who.astype(np.int64), height, width, blank)


def read_mat(path: Path) -> Fixations:
    """Read a SALICON fixation file.

    Raises `UserError`, naming the file, when it is missing or damaged or has no `gaze`.
    """
    content, names = matfile.load(path, ("gaze", "resolution"), ("fixations",))
    height, width = _resolution(content, path)
    if "gaze" not in content:
        raise UserError(
            f"{path} has no 'gaze' (found {', '.join(sorted(names)) or 'nothing'}); expected a "
            "SALICON fixation file, one per image"
        )
    viewers = [_points(viewer, path) - 1 for viewer in _viewers(content["gaze"], path)]
    return of_viewers(viewers, height, width)


def write_mat(
    path: Path,
    name: str,
    height: int,
    width: int,
    scanpaths: Sequence[NDArray[Any]],
    times: Sequence[NDArray[Any]] | None = None,
) -> None:
    """Write a SALICON fixation file: one scanpath (n, 2) x, y from 0, in whole pixels, per viewer.

    `times` are milliseconds (n,) per viewer, zeros by default. Equal arguments give equal bytes.
    """
    gaze = np.empty((len(scanpaths), 1), dtype=_GAZE)
    for index, points in enumerate(scanpaths):
        places = (np.rint(np.reshape(points, (-1, 2))) + 1).astype(np.int32)
        stamps = np.zeros(len(places)) if times is None else np.asarray(times[index])
        gaze[index, 0] = (places, stamps.reshape(-1, 1).astype(np.float64), places)
    buffer = io.BytesIO()
    resolution = np.array([[height, width]], dtype=np.uint16)
    content = {"gaze": gaze, "image": name, "resolution": resolution}
    savemat(buffer, content, do_compression=True)
    data = buffer.getvalue()
    # The header's free text carries the date; a fixed one makes files comparable.
    atomic_write_bytes(path, _HEADER.ljust(_HEADER_BYTES) + data[_HEADER_BYTES:])


_GAZE = [("location", object), ("timestamp", object), ("fixations", object)]
_HEADER = b"MATLAB 5.0 MAT-file, SALICON fixations"
_HEADER_BYTES = 116


def _resolution(content: dict[str, Any], path: Path) -> tuple[int, int]:
    values = content.get("resolution")
    if not isinstance(values, np.ndarray) or values.size != 2 or not bool((values >= 1).all()):
        raise UserError(f"{path} has no 'resolution' (height, width); expected a SALICON file")
    height, width = values.ravel().tolist()
    if not height * width <= MAX_PIXELS:
        raise UserError(f"{path} states a resolution of {height:g}x{width:g}; restore it")
    return int(height), int(width)


def _viewers(gaze: Any, path: Path) -> list[Any]:
    if isinstance(gaze, np.ndarray) and gaze.size == 0:
        return []
    if not isinstance(gaze, list) or any(
        not isinstance(viewer, dict) or "fixations" not in viewer for viewer in gaze
    ):
        raise UserError(f"'gaze' in {path} has no 'fixations' per viewer; expected a SALICON file")
    return [viewer["fixations"] for viewer in gaze]


def _points(value: Any, path: Path) -> NDArray[np.float64]:
    # A struct saved from a cell array holds its matrix one level deeper.
    while isinstance(value, matfile.Cells) and len(value) == 1:
        value = value[0]
    if not isinstance(value, np.ndarray):
        raise UserError(f"fixations in {path} are no numbers; expected (n, 2) of x, y")
    points: NDArray[np.float64] = value
    if points.size == 0:
        return np.zeros((0, 2))
    if points.ndim != 2 or points.shape[1] != 2:
        raise UserError(f"fixations in {path} have the shape {points.shape}; expected (n, 2)")
    return points
