"""Metrics of classifiers of images, of many at once: logits (N, C), indices of classes (N,)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Confusion = NDArray[np.int64]
"""(C, C): images of class i (rows) that were called j (columns)."""


def ranks(logits: Tensor, target: Tensor) -> Tensor:
    """(N,) int64: how many classes stand before the right one.

    Of equal logits the first class stands first, as `argmax` has it. Raises `ValueError` for other
    shapes, and for a target outside the classes.
    """
    _require(logits, target)
    own = logits.gather(1, target[:, None])
    earlier = torch.arange(logits.shape[1], device=logits.device)[None] < target[:, None]
    before = (logits > own) | ((logits == own) & earlier)
    return before.sum(1)


def top(logits: Tensor, target: Tensor, most: int) -> Tensor:
    """(N,) float64: 1 where the right class is among the `most` likeliest, else 0."""
    return (ranks(logits, target) < most).double()


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """(N,) float64, nats: -log of the probability of the right class."""
    _require(logits, target)
    return -logits.double().log_softmax(1).gather(1, target[:, None])[:, 0]


def confusion(target: Sequence[int], called: Sequence[int], classes: int) -> Confusion:
    """How often which of so many classes was called which: a pair for each image.

    Raises `ValueError` for lists of different lengths and for an index outside the classes.
    """
    if len(target) != len(called):
        raise ValueError(
            f"{len(target)} classes of images, but {len(called)} of what they are called"
        )
    places = np.ravel_multi_index((np.array(target, int), np.array(called, int)), (classes,) * 2)
    counts: Confusion = np.bincount(places, minlength=classes**2)
    return counts.reshape(classes, classes)


def class_accuracy(found: Confusion) -> NDArray[np.float64]:
    """(C,): share of each class's images that are called by it; NaN for a class without any."""
    images = found.sum(axis=1)
    unknown = np.full(len(found), np.nan)
    each: NDArray[np.float64] = np.divide(np.diag(found), images, out=unknown, where=images > 0)
    return each


def mean_class_accuracy(found: Confusion) -> float:
    """Mean over the classes that have images; NaN where none has."""
    each = class_accuracy(found)
    return float(np.nanmean(each)) if not np.isnan(each).all() else float("nan")


def mistakes(found: Confusion, most: int) -> list[tuple[int, int, int]]:
    """The most frequent mistakes: class, what it was taken for, how often.

    Of equally frequent ones the first by both classes; a class never taken for another is in none.
    """
    wrong = found * (1 - np.eye(len(found), dtype=np.int64))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = [(int(i) // len(found), int(i) % len(found)) for i in order]
    return [(row, column, int(wrong[row, column])) for row, column in pairs if wrong[row, column]]


def _require(logits: Tensor, target: Tensor) -> None:
    if logits.ndim != 2 or target.shape != logits.shape[:1]:
        raise ValueError(f"logits {tuple(logits.shape)} and targets {tuple(target.shape)}")
    if len(target) and not 0 <= int(target.min()) <= int(target.max()) < logits.shape[1]:
        raise ValueError(
            f"targets {int(target.min())} to {int(target.max())} of {logits.shape[1]} classes"
        )
