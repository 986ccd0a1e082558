"""Bootstrap 95 % intervals: of a paired difference between two models, and of a median latency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_PERCENTILES = (2.5, 97.5)
_CHUNK = 1 << 22  # resampled values held at once: bounds memory at 32 MiB for any data size


@dataclass(frozen=True)
class Interval:
    """A mean and its percentile bootstrap 95 % interval, in the unit of the values."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """True if the interval lies wholly on one side of 0: the difference is not chance."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class MedianInterval:
    """A median and its percentile bootstrap 95 % interval, in the unit of the values."""

    median: float
    low: float
    high: float


def paired_difference(a: ArrayLike, b: ArrayLike, seed: int = 0, samples: int = 2000) -> Interval:
    """Mean of `a - b` over images scored by both, with its interval.

    `a` and `b` are `(N,)` scores of the same images in the same order. Images undefined (NaN) in
    either are left out. Resampling whole pairs takes out how hard an image is, which two separate
    intervals would keep. The same seed gives the same interval.
    Raises `ValueError` for unequal lengths or no image defined in both.
    """
    first, second = _vector(a, "a"), _vector(b, "b")
    if first.shape != second.shape:
        raise ValueError(f"a has {first.size} scores and b {second.size}: score the same images")
    difference = first - second
    difference = difference[~np.isnan(difference)]
    if difference.size == 0:
        raise ValueError("no image has a defined score in both a and b")
    low, high = _percentile_interval(difference, np.mean, seed, samples)
    return Interval(float(difference.mean()), low, high)


def median_interval(
    values: ArrayLike | Sequence[float], seed: int = 0, samples: int = 2000
) -> MedianInterval:
    """Median of `(N,)` values with its interval. Raises `ValueError` if empty or NaN."""
    data = _vector(values, "values")
    if data.size == 0 or bool(np.isnan(data).any()):
        raise ValueError("a median interval needs at least one value and no NaN")
    low, high = _percentile_interval(data, np.median, seed, samples)
    return MedianInterval(float(np.median(data)), low, high)


def _percentile_interval(
    data: Floats, statistic: Callable[..., Any], seed: int, samples: int
) -> tuple[float, float]:
    if samples < 1:
        raise ValueError(f"samples={samples}: needs at least one resample")
    generator = np.random.default_rng(seed)
    rows = max(1, _CHUNK // data.size)
    resampled = []
    for start in range(0, samples, rows):
        shape = (min(rows, samples - start), data.size)
        resampled.append(statistic(data[generator.integers(data.size, size=shape)], axis=1))
    low, high = np.percentile(np.concatenate(resampled), _PERCENTILES)
    return float(low), float(high)


def _vector(values: ArrayLike, name: str) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one score per image, got shape {array.shape}")
    return array
