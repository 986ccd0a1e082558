"""Areas under the ROC curve of 'fixated', exact: AUC-Judd, uniform and shuffled AUC.

They differ in what a fixation is told apart from. Counts are integers until the last division and
no jitter is added, so any strictly increasing change of the prediction leaves a score alone. What
is undefined, and what the arguments are, is said in `pipeline.metrics.saliency`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.metrics.prepare import Fixated, Fixations, Flat, Scene, scenes
from pipeline.metrics.ranks import ranks


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
    return as_scores(map(judd, prepared(pred, counts, fixations)), pred)


def auc_uniform(pred: Tensor, counts: Tensor, fixations: Fixations = "repeats") -> Tensor:
    """'Fixated' against every pixel, thresholds at every value; shapes as in `auc_judd`.

    The probability that a fixation lies on a higher value than a pixel drawn at random, ties
    counting half: pysaliency's AUC with `nonfixations="uniform"`.
    """
    return as_scores(map(uniform, prepared(pred, counts, fixations)), pred)


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
    images = prepared(pred, counts, fixations)
    among = negatives_of(pred, others)
    return as_scores(map(shuffled, images, among), pred)


def judd(scene: Scene) -> float:
    """`auc_judd` of one image."""
    negatives = len(scene.values) - len(scene.pixel)
    if not scene.fixations or not negatives:
        return math.nan
    levels, place = scene.levels
    below = ranks(scene.values, levels, scene.low, scene.high).below
    fixated = torch.bincount(place, minlength=len(levels))
    below = below - (fixated.cumsum(0) - fixated)  # fixated pixels are no negatives
    # A negative between two neighbouring thresholds widens one trapezoid of the curve, whose height
    # is the mean hit rate of the two; below all thresholds the curve runs at hit rate 1.
    hit = scene.hits.flip(0).cumsum(0).flip(0)
    heights = torch.cat([hit[:1], hit]) + torch.cat([hit, hit.new_zeros(1)])
    widths = torch.cat([below, below.new_full((1,), negatives)]).diff(prepend=below.new_zeros(1))
    return int(torch.dot(widths, heights)) / (2 * scene.fixations * negatives)


def uniform(scene: Scene) -> float:
    """`auc_uniform` of one image."""
    return _against(scene, scene.values, None, len(scene.values))


def shuffled(scene: Scene, negatives: Negatives) -> float:
    """`sauc` of one image."""
    values = scene.values[negatives.pixel]
    return _against(scene, values, negatives.repeats, int(negatives.repeats.sum()))


def _against(scene: Scene, values: Tensor, repeats: Tensor | None, negatives: int) -> float:
    """Share of pairs of a fixation and a negative that are in the right order, ties half."""
    if not scene.fixations or not negatives:
        return math.nan
    found = ranks(values, scene.levels[0], scene.low, scene.high, repeats)
    twice = torch.dot(scene.hits, 2 * found.below + found.equal)
    return int(twice) / (2 * scene.fixations * negatives)


def prepared(pred: Tensor, counts: Tensor, fixations: Fixations) -> list[Scene]:
    """The images of a batch, checked."""
    flat = Flat.from_maps(pred, "prediction")
    return scenes(flat, Fixated.from_counts(pred, counts, fixations))


def negatives_of(pred: Tensor, others: Tensor | Sequence[Negatives]) -> Sequence[Negatives]:
    """Negatives of every image of a batch. Raises `ValueError` where their number differs."""
    if isinstance(others, Tensor):
        found = Fixated.from_counts(pred, others, "repeats")
        return [Negatives(pixel, repeats) for pixel, repeats in found.each]
    if len(others) != len(pred):
        raise ValueError(f"{len(others)} sets of negatives for {len(pred)} predictions")
    return others


def as_scores(values: Iterable[float], like: Tensor) -> Tensor:
    """Scores `(B,)` float64 on the device of the maps."""
    return torch.tensor(list(values), dtype=torch.float64, device=like.device)
