"""Maps the metric tests share: photographs' kind of saliency, without photographs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter


def real_like(
    seed: int, height: int = 60, width: int = 80, viewers: int = 15
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Prediction, fixation counts with repeats, and blurred density of one made-up image."""
    generator = np.random.default_rng(seed)
    centres = generator.uniform((0, 0), (height, width), size=(3, 2))
    points = centres[generator.integers(3, size=viewers * 6)]
    points = points + generator.normal(scale=height / 20, size=points.shape)
    rows = np.clip(points[:, 0], 0, height - 1).astype(int)
    columns = np.clip(points[:, 1], 0, width - 1).astype(int)
    counts = np.zeros((height, width), dtype=np.int64)
    np.add.at(counts, (rows, columns), 1)
    density = gaussian_filter(counts.astype(float), height / 25)
    noise = gaussian_filter(generator.random((height, width)), 4)
    pred = density / density.max() + 3 * (noise - noise.min())
    return pred, counts, density


def points_of(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Columns and rows of every fixation, each as often as it was counted."""
    rows, columns = np.nonzero(counts)
    repeats = counts[rows, columns]
    return np.repeat(columns, repeats), np.repeat(rows, repeats)
