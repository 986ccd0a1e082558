"""Fixations of one image as points, which outlive its count map and move to other sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Points:
    """Fixated pixels of one image and how often each was fixated."""

    rows: Indices
    """`(K,)`, from 0."""
    columns: Indices
    """`(K,)`, from 0."""
    repeats: Indices
    """`(K,)`, 1 or more."""
    height: int
    width: int

    @classmethod
    def from_counts(cls, counts: NDArray[np.integer] | Tensor) -> Points:
        """Points of a count map `(H, W)`.

        Raises `ValueError` for another shape and for counts that are not whole numbers, 0 or more.
        """
        grid = counts.cpu().numpy() if isinstance(counts, Tensor) else np.asarray(counts)
        if grid.ndim != 2 or grid.size == 0:
            raise ValueError(f"a count map must be (H, W) with pixels in it, got {grid.shape}")
        rows, columns = np.nonzero(grid)
        found = grid[rows, columns]
        repeats = found.astype(np.int64)
        if bool((repeats < 1).any()) or not np.array_equal(repeats, found):
            raise ValueError("fixation counts must be whole numbers, 0 or more, per pixel")
        height, width = grid.shape
        return cls(rows.astype(np.int64), columns.astype(np.int64), repeats, height, width)

    @property
    def total(self) -> int:
        """Fixations, repeats included."""
        return int(self.repeats.sum())

    def pixels(self, height: int, width: int) -> Indices:
        """Flat indices `(K,)` of the points on an image of another size.

        Pixels are areas: the centre of each falls into the pixel that covers it there, as
        pysaliency scales `x + 0.5`. Whole numbers, so nothing is decided by rounding.
        """
        rows = (2 * self.rows + 1) * height // (2 * self.height)
        columns = (2 * self.columns + 1) * width // (2 * self.width)
        found: Indices = rows * width + columns
        return found

    def counts(self, height: int, width: int) -> Indices:
        """Fixations per pixel `(height, width)`; none is lost or gained by the change of size."""
        weights = np.bincount(self.pixels(height, width), self.repeats, height * width)
        grid: Indices = weights.astype(np.int64).reshape(height, width)
        return grid
