"""Salient-object metrics of one map against one mask, all from numpy arrays of the image's size.

Two conventions stand side by side. SalMetric, which the CII paper reports with, takes the map as
the 256 levels it is and averages precision and recall over images at each level; PySODMetrics
stretches every map to 0-1 first and averages each image's F. MAE, S, E and weighted F are those of
their papers, on stretched maps, as PySODMetrics computes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Levels = NDArray[np.uint8]
BETA2 = 0.3
"""Weighs precision over recall."""
LEVELS = 256
TINY = np.spacing(1)
EPSILON = 1e-4
"""SalMetric's, in precision and recall."""
_WINDOW, _SIGMA = 7, 5.0
_HALF_DISTANCE = 5.0
"""Pixels from the object at which a false alarm weighs one and a half."""


def levels(shown: Array) -> Levels:
    """A map in 0-1 as the 256 levels it would be saved as, cut off."""
    return (np.clip(shown, 0.0, 1.0) * 255).astype(np.uint8)


def stretched(saved: Levels) -> Array:
    """Levels as 0-1 between the map's own least and largest; a flat map stays as it is."""
    scaled = saved / 255
    low, high = scaled.min(), scaled.max()
    found: Array = (scaled - low) / (high - low) if high > low else scaled
    return found


@dataclass(frozen=True)
class Curve:
    """Precision and recall above each level, 0 to 255: (256,) each."""

    precision: Array
    recall: Array


def curve(saved: Levels, mask: Mask) -> Curve:
    """SalMetric's of one image: pixels above the level are predicted."""
    found = np.bincount(saved[mask], minlength=LEVELS)
    alarms = np.bincount(saved[~mask], minlength=LEVELS)
    # What is strictly above a level.
    hits = found.sum() - np.cumsum(found)
    predicted = hits + alarms.sum() - np.cumsum(alarms)
    total = int(mask.sum())
    return Curve((hits + EPSILON) / (predicted + EPSILON), (hits + EPSILON) / (total + EPSILON))


def mean_curve(curves: Iterable[Curve]) -> Curve:
    """Precision and recall averaged over images at each level."""
    each = list(curves)
    return Curve(
        np.mean([c.precision for c in each], axis=0), np.mean([c.recall for c in each], axis=0)
    )


def f_of(at: Curve) -> Array:
    """F at every level of a curve."""
    found: Array = (1 + BETA2) * at.precision * at.recall / (BETA2 * at.precision + at.recall)
    return found


def mae(shown: Array, mask: Mask) -> float:
    """Mean absolute error."""
    return float(np.abs(shown - mask).mean())


def adaptive_f(shown: Array, mask: Mask) -> float:
    """F at twice the map's mean, at most 1."""
    predicted = shown >= min(2 * shown.mean(), 1)
    hits = int((predicted & mask).sum())
    if hits == 0:
        return 0.0
    precision, recall = hits / int(predicted.sum()), hits / int(mask.sum())
    return (1 + BETA2) * precision * recall / (BETA2 * precision + recall)


def adaptive_e(shown: Array, mask: Mask) -> float:
    """Enhanced alignment (Fan et al., 2018) of the map cut at twice its mean."""
    predicted = shown >= min(2 * shown.mean(), 1)
    if not mask.any():
        aligned = (~predicted).astype(np.float64)
    elif mask.all():
        aligned = predicted.astype(np.float64)
    else:
        a, b = predicted - predicted.mean(), mask - mask.mean()
        alignment = 2 * a * b / (a * a + b * b + TINY)
        aligned = (alignment + 1) ** 2 / 4
    return float(aligned.sum() / (mask.size - 1 + TINY))


def s_measure(shown: Array, mask: Mask, alpha: float = 0.5) -> float:
    """Structure measure (Fan et al., 2017, Eq. 8 here): objects and regions."""
    share = float(mask.mean())
    if share == 0:
        return float(1 - shown.mean())
    if share == 1:
        return float(shown.mean())
    objects = share * _object(shown[mask]) + (1 - share) * _object(1 - shown[~mask])
    return max(0.0, alpha * objects + (1 - alpha) * _regions(shown, mask))


def _object(values: Array) -> float:
    mean = values.mean()
    spread = values.std(ddof=1) if values.size > 1 else 0.0
    return float(2 * mean / (mean * mean + 1 + spread + TINY))


def _regions(shown: Array, mask: Mask) -> float:
    """Similarity in the four parts around the mask's centroid, by their areas."""
    rows, columns = np.nonzero(mask)
    y, x = int(np.round(rows.mean())) + 1, int(np.round(columns.mean())) + 1
    parts = [np.s_[:y, :x], np.s_[:y, x:], np.s_[y:, :x], np.s_[y:, x:]]
    return sum(
        _similarity(shown[part], mask[part].astype(np.float64)) * mask[part].size / mask.size
        for part in parts
        if mask[part].size
    )


def _similarity(x: Array, y: Array) -> float:
    mx, my, number = x.mean(), y.mean(), x.size
    dx, dy = x - mx, y - my
    freedom = number - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        vx, vy, both = ((d * e).sum() / freedom for d, e in ((dx, dx), (dy, dy), (dx, dy)))
    alpha, beta = 4 * mx * my * both, (mx * mx + my * my) * (vx + vy)
    if alpha != 0:
        return float(alpha / (beta + TINY))
    return 1.0 if beta == 0 else 0.0


def weighted_f(shown: Array, mask: Mask) -> float:
    """Margolin et al. (2014), beta = 1: errors near the object weigh less, clustered ones more."""
    if not mask.any():
        return 0.0
    error = np.abs(shown - mask)
    distance, nearest = ndimage.distance_transform_edt(~mask, return_indices=True)
    spread = error[tuple(nearest)]  # off the object: the error of its nearest pixel
    smooth = ndimage.convolve(spread, _gaussian(), mode="constant", cval=0.0)
    dependent = np.where(mask & (smooth < error), smooth, error)
    importance = np.where(mask, 1.0, 2 - np.exp(np.log(0.5) / _HALF_DISTANCE * distance))
    weighted = dependent * importance
    hits = mask.sum() - weighted[mask].sum()
    recall = 1 - weighted[mask].mean()
    precision = hits / (hits + weighted[~mask].sum() + TINY)
    return float(2 * recall * precision / (recall + precision + TINY))


def _gaussian() -> Array:
    reach = np.arange(_WINDOW) - _WINDOW // 2
    kernel = np.exp(-(reach[:, None] ** 2 + reach[None] ** 2) / (2 * _SIGMA**2))
    found: Array = kernel / kernel.sum()
    return found
