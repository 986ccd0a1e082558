"""Fixations drawn into a grid of the image's size: where it is not zero, somebody looked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.data import matfile
from pipeline.data.fixations import Fixations, of_viewers
from pipeline.data.gaze.registry import file_of, reader
from pipeline.data.images import read_map
from pipeline.data.records import Record
from pipeline.errors import UserError

HALF = 0.5
"""Of the full range: what the FastSal authors hold a `_fixPts.jpg` against."""

_LOCATIONS = "fixLocs"


@reader("points")
def points(record: Record) -> Fixations:
    """The pixels of a grey image above one half, once each."""
    return _of_grid(read_map(file_of(record)) > HALF)


@reader("fixation_map")
def fixation_map(record: Record) -> Fixations:
    """The pixels of `fixLocs` (H, W) in a `.mat` file (CAT2000) that are not zero, once each.

    Raises `UserError` for a file without such a matrix.
    """
    path = file_of(record)
    content, names = matfile.load(path, (_LOCATIONS,))
    grid = content.get(_LOCATIONS)
    if not isinstance(grid, np.ndarray) or grid.ndim != 2 or grid.size == 0:
        found = ", ".join(sorted(names)) or "nothing"
        raise UserError(
            f"{path} has no matrix {_LOCATIONS!r} (found {found}); expected a CAT2000 file from "
            "FIXATIONLOCS"
        )
    return _of_grid(grid != 0)


def _of_grid(grid: NDArray[np.bool_]) -> Fixations:
    rows, columns = np.nonzero(grid)
    return of_viewers([np.stack([columns, rows], axis=1).astype(np.float64)], *grid.shape)
