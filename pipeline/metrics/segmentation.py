"""Segmentation by classes: everything follows from how often which class was taken for which."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.data.classes import VOID, Ids

Confusion = NDArray[np.int64]
"""(C, C): pixels of class i (rows) that were called j (columns)."""


def confusion(predicted: NDArray[np.integer], truth: Ids, classes: int) -> Confusion:
    """Of one image: both (H, W); `VOID` pixels of the truth count nowhere.

    Raises `ValueError` for unequal shapes, and for a class of either that is not below `classes`.
    """
    if predicted.shape != truth.shape:
        raise ValueError(f"predicted {predicted.shape}, but truth {truth.shape}")
    known = truth != VOID
    said = predicted[known].astype(np.int64)
    if said.size and not 0 <= said.min() <= said.max() < classes:
        raise ValueError(f"predicted classes {said.min()} to {said.max()} of {classes}")
    marked = truth[known].astype(np.int64)
    if marked.size and marked.max() >= classes:
        raise ValueError(f"truth has class {marked.max()} of {classes}")
    pairs = marked * classes + said
    counts: Confusion = np.bincount(pairs, minlength=classes * classes).astype(np.int64)
    return counts.reshape(classes, classes)


def iou(found: Confusion) -> NDArray[np.float64]:
    """(C,): intersection over union of each class; NaN for one that neither side has."""
    both = np.diag(found).astype(np.float64)
    either = found.sum(axis=0) + found.sum(axis=1) - both
    unknown = np.full(len(found), np.nan)
    each: NDArray[np.float64] = np.divide(both, either, out=unknown, where=either > 0)
    return each


def mean_iou(found: Confusion) -> float:
    """Mean over the classes that occur in truth or prediction; NaN where none does."""
    each = iou(found)
    return float(np.nanmean(each)) if not np.isnan(each).all() else float("nan")


def accuracy(found: Confusion) -> float:
    """Share of the pixels that are called by their class; NaN where all are void."""
    total = found.sum()
    return float(np.diag(found).sum() / total) if total else float("nan")
