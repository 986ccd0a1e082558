"""Areas under the ROC curve of 'fixated', exact: AUC-Judd, uniform and shuffled AUC.

They differ in what a fixation is told apart from. Counts are integers until the last division and
no jitter is added, so any strictly increasing change of the prediction leaves a score alone. What
is undefined, and what the arguments are, is said in `pipeline.metrics.saliency`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pipeline.metrics.prepare import Fixations, Scene, as_scores, fixated_of, scenes
from pipeline.metrics.ranks import Ranks, ranks


@dataclass(frozen=True)
class Negatives:
    """What the fixations of one image are told apart from, such as those of other images."""

    pixel: Tensor
    """Indices into the flattened image `(K,)` int64, each once."""
    repeats: Tensor
    """How often each counts `(K,)` int64, 0 or more."""


def auc_judd(pred: Tensor, counts: Tensor, fixations: Fixations = "repeats") -> Tensor:
    """'Fixated' against 'never fixated', thresholds at fixated values.

    `pred` `(B, H, W)`, `counts` `(B, H, W)` → `(B,)` float64. The curve is straight between
    thresholds, so `k` distinct fixated values score no less than `1 / 2k`.
    """
    return as_scores([judd(scene) for scene in scenes(pred, counts, fixations)], pred)


def auc_uniform(pred: Tensor, counts: Tensor, fixations: Fixations = "repeats") -> Tensor:
    """'Fixated' against every pixel, thresholds at every value; shapes as in `auc_judd`.

    The probability that a fixation lies on a higher value than a pixel drawn at random, ties
    counting half: pysaliency's AUC with `nonfixations="uniform"`.
    """
    return as_scores([uniform(scene) for scene in scenes(pred, counts, fixations)], pred)


def sauc(
    pred: Tensor,
    counts: Tensor,
    others: Tensor | Sequence[Negatives],
    fixations: Fixations = "repeats",
) -> Tensor:
    """Shuffled AUC: 'fixated' against 'fixated in other images', thresholds at every value.

    Shapes as in `auc_judd`; `others` `(B, H, W)`, or `Negatives` of each image, holds all fixations
    on all other images, moved to this image's size, repeats included: pysaliency's AUC with
    `nonfixations="shuffled"`. Nothing is drawn at random. Undefined where there is no other.
    """
    images = scenes(pred, counts, fixations)
    pairs = zip(images, negatives_of(pred, others), strict=True)
    return as_scores([shuffled(*pair) for pair in pairs], pred)


def judd(scene: Scene) -> float:
    """`auc_judd` of one image."""
    fixations, pixels = scene.fixated.total, len(scene.map.given)
    negatives = pixels - len(scene.fixated.pixel)
    if not fixations or not negatives:
        return math.nan
    levels, place = scene.levels
    fixated = np.bincount(place, minlength=len(levels))
    below = scene.ranks.below - (fixated.cumsum() - fixated)  # fixated pixels are no negatives
    # A negative between two neighbouring thresholds widens one trapezoid of the curve, whose height
    # is the mean hit rate of the two; below all thresholds the curve runs at hit rate 1.
    hit = scene.hits[::-1].cumsum()[::-1]
    heights = np.concatenate([hit[:1], hit]) + np.append(hit, 0)
    widths = np.diff(below, prepend=0, append=negatives)
    return int(widths @ heights) / (2 * fixations * negatives)


def uniform(scene: Scene) -> float:
    """`auc_uniform` of one image."""
    return _against(scene, scene.ranks, len(scene.map.given)) if scene.fixated.total else math.nan


def shuffled(scene: Scene, negatives: Negatives) -> float:
    """`sauc` of one image."""
    total = int(negatives.repeats.sum())
    if not scene.fixated.total or not total:
        return math.nan
    values, shown = scene.map.given[negatives.pixel], scene.map
    found = ranks(values, scene.levels[0], shown.low, shown.high, negatives.repeats)
    return _against(scene, found, total)


def _against(scene: Scene, found: Ranks, negatives: int) -> float:
    """Share of pairs of a fixation and a negative that are in the right order, ties half."""
    twice = scene.hits @ (2 * found.below + found.equal)
    return int(twice) / (2 * scene.fixated.total * negatives)


def negatives_of(pred: Tensor, others: Tensor | Sequence[Negatives]) -> Sequence[Negatives]:
    """Negatives of every image of a batch. Raises `ValueError` where their number differs."""
    if isinstance(others, Tensor):
        return [
            Negatives(found.pixel, torch.from_numpy(found.repeats).to(found.pixel.device))
            for found in fixated_of(pred, others, "repeats")
        ]
    if len(others) != len(pred):
        raise ValueError(f"{len(others)} sets of negatives for {len(pred)} predictions")
    return others
