"""AUC as Borji's code has it: negatives drawn at random, thresholds in steps of the map's range.

Each of `splits` curves tells the fixations from as many drawn negatives; the score is the mean of
their areas. An area is linear in the rates of its negatives, so that mean is the area of one curve
over all draws, which is how it is computed here: the same number, a hundred times sooner.

Draws are a pure function of `seed` and the image's id: neither other images nor their order matter.
A constant prediction scores 0.5.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.metrics.auc import Negatives, negatives_of
from pipeline.metrics.prepare import Fixations, Scene, as_scores, scenes
from pipeline.metrics.ranks import ranks

SPLITS = 100
STEP = 0.1


def auc_borji(
    pred: Tensor,
    counts: Tensor,
    ids: Sequence[str],
    *,
    seed: int = 0,
    splits: int = SPLITS,
    step: float = STEP,
    fixations: Fixations = "repeats",
) -> Tensor:
    """'Fixated' against pixels drawn uniformly with replacement, as many as there are fixations.

    `pred` and `counts` `(B, H, W)`, `ids` of the B images → `(B,)` float64. Borji's code reads
    `counts` as a mask, which is `fixations="unique"`.
    """
    images = zip(scenes(pred, counts, fixations, _checked(pred, ids)), ids, strict=True)
    return as_scores([drawn(*image, seed, splits, step) for image in images], pred)


def auc_borji_expected(
    pred: Tensor, counts: Tensor, *, step: float = STEP, fixations: Fixations = "repeats"
) -> Tensor:
    """The expectation of `auc_borji` over its draws: every pixel is a negative, once."""
    images = scenes(pred, counts, fixations)
    return as_scores([_area(scene, scene.map.given, step) for scene in images], pred)


def sauc_borji(
    pred: Tensor,
    counts: Tensor,
    others: Tensor | Sequence[Negatives],
    ids: Sequence[str],
    *,
    seed: int = 0,
    splits: int = SPLITS,
    step: float = STEP,
    fixations: Fixations = "unique",
) -> Tensor:
    """Shuffled AUC as the published FastSal code and the MIT benchmark's have it.

    Negatives are drawn without replacement from the pixels fixated in other images, each pixel
    once, those fixated in this image left out; as many as there are fixations, if there are so
    many. `others` as in `pipeline.metrics.auc.sauc`, which draws nothing and is what is reported.
    """
    images = scenes(pred, counts, fixations, _checked(pred, ids))
    each = zip(images, ids, negatives_of(pred, others), strict=True)
    return as_scores([_among(*image, seed, splits, step) for image in each], pred)


def drawn(scene: Scene, image: str, seed: int, splits: int = SPLITS, step: float = STEP) -> float:
    """`auc_borji` of one image."""
    _check(splits, step)
    values = scene.map.given
    draws = generator(seed, image).integers(
        len(values), size=splits * scene.fixated.total, dtype=np.int32
    )
    return _area(scene, values.index_select(0, _like(values, draws)), step)


def _among(
    scene: Scene, image: str, negatives: Negatives, seed: int, splits: int, step: float
) -> float:
    _check(splits, step)
    pool = negatives.pixel[negatives.repeats > 0]
    pool = pool[~torch.isin(pool, scene.fixated.pixel)]
    size = min(scene.fixated.total, len(pool))
    random = generator(seed, image)
    rows = [random.choice(len(pool), size, replace=False, shuffle=False) for _ in range(splits)]
    return _area(scene, scene.map.given[pool[_like(pool, np.concatenate(rows))]], step)


def generator(seed: int, image: str) -> np.random.Generator:
    """Random numbers that depend on the seed and the image's id alone."""
    digest = hashlib.sha256(image.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:16])])


def _area(scene: Scene, negatives: Tensor, step: float) -> float:
    """Area under the curve through thresholds 0, `step`, … of the map scaled to 0-1."""
    if not scene.fixated.total or not len(negatives):
        return math.nan
    repeats = _like(negatives, scene.fixated.repeats)
    hits = _reaching(scene, _like(negatives, scene.at), step, repeats)
    alarms = _reaching(scene, negatives, step)
    heights = hits + np.append(hits[1:], 0)
    widths = alarms - np.append(alarms[1:], 0)
    return int(widths @ heights) / (2 * scene.fixated.total * len(negatives))


def _reaching(
    scene: Scene, values: Tensor, step: float, repeats: Tensor | None = None
) -> NDArray[np.int64]:
    """How many values reach each threshold, from 0 up, which all reach."""
    spread = scene.map.high - scene.map.low
    scaled = (values.double() - scene.map.low).div_(spread if spread > 0 else 1.0)
    thresholds = step * np.arange(math.floor(1 / step + 1e-9) + 1, dtype=np.float64)
    total = len(values) if repeats is None else int(repeats.sum())
    return total - ranks(scaled, thresholds, 0.0, 1.0, repeats).below


def _checked(pred: Tensor, ids: Sequence[str]) -> Sequence[str]:
    if len(pred) != len(ids):
        raise ValueError(f"{len(ids)} ids for a batch of {len(pred)} predictions")
    return ids


def _like(values: Tensor, array: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(array).to(values.device)


def _check(splits: int, step: float) -> None:
    if splits < 1:
        raise ValueError(f"splits={splits}: needs at least one")
    if not 0 < step <= 1:
        raise ValueError(f"step={step}: must be a fraction of the map's range")
