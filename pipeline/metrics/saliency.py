"""Saliency metrics on batches: NSS, CC, KLDiv, SIM, and all there are at once.

Names and conventions are those of the MIT/Tübingen saliency benchmark. Sums run in float64 whatever
the dtype of the maps, so a score does not depend on batch size or device beyond rounding. Areas
under curves are in `auc` (exact) and `borji` (drawn), information gain is in `information`.

Fixations come as count maps: `counts[b, y, x]` is how often that pixel was fixated. By default
every repeat counts (`fixations="repeats"`, as the benchmark does); `fixations="unique"` reads the
map as a mask, which is what the published FastSal code reports. Say which one a number is.

Undefined scores are NaN, never a made-up value: no fixation (NSS, AUCs, IG), every pixel fixated
(AUC-Judd), no fixation elsewhere (sAUC), a density without mass (CC, KLDiv, SIM) or a constant
density (CC). A constant prediction is defined: NSS 0, AUCs 0.5, CC 0, and a uniform density in
KLDiv, SIM and IG.

All raise `UserError` for NaN or infinite values and `ValueError` for shapes that differ or counts
that are not whole non-negative numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from pipeline.metrics import auc, borji
from pipeline.metrics.auc import Negatives
from pipeline.metrics.information import MIT_EPSILON, gain_of_map
from pipeline.metrics.prepare import (
    Fixations,
    Map,
    Scene,
    as_scores,
    fixated_of,
    maps_of,
    one_by_one,
    require_same_shape,
    scenes,
)
from pipeline.metrics.sparse import log_


def nss(pred: Tensor, counts: Tensor, fixations: Fixations = "repeats") -> Tensor:
    """Normalised scanpath saliency: mean z-score of the prediction at the fixated pixels.

    `pred` `(B, H, W)` of any scale, `counts` `(B, H, W)` → `(B,)` float64. The z-score uses the
    population standard deviation.
    """
    return as_scores([_nss(scene) for scene in scenes(pred, counts, fixations)], pred)


def cc(pred: Tensor, density: Tensor) -> Tensor:
    """Pearson's linear correlation of the prediction and the density, both `(B, H, W)` → `(B,)`."""
    return as_scores([_cc(*pair) for pair in _pairs(pred, density)], pred)


def kldiv(pred: Tensor, density: Tensor) -> Tensor:
    """KL divergence of the prediction from the density, in nats; 0 is best.

    Both `(B, H, W)` → `(B,)`, both read as densities (shifted to be non-negative if they are not,
    then divided by their sum): `sum(q * log(eps + q / (p + eps)))` with `eps` = `MIT_EPSILON`.
    """
    return as_scores([_sim_and_kldiv(*pair)[1] for pair in _pairs(pred, density)], pred)


def sim(pred: Tensor, density: Tensor) -> Tensor:
    """Histogram intersection of the two densities in [0, 1], 1 is best. Shapes as in `kldiv`."""
    return as_scores([_sim_and_kldiv(*pair)[0] for pair in _pairs(pred, density)], pred)


def saliency_metrics(
    pred: Tensor,
    counts: Tensor | None = None,
    density: Tensor | None = None,
    *,
    others: Sequence[Negatives] | None = None,
    baseline: Tensor | None = None,
    fixations: Fixations = "repeats",
    ids: Sequence[str] | None = None,
    seed: int = 0,
    uniform: bool = False,
) -> dict[str, Tensor]:
    """All metrics the given annotations allow, by name, each `(B,)` float64.

    With `counts`: `NSS`, `AUC-Judd`; with `ids`, too, on which its draws depend besides `seed`:
    `AUC-Borji`; with `others`, the fixations on all other images: `sAUC`; with `baseline`, log
    densities `(B, H, W)` of where people look whatever the image shows: `IG`. With `density`: `CC`,
    `KLDiv`, `SIM`. Data sets that publish only some of these get only their metrics. `uniform` adds
    `AUC`, of `auc_uniform`. `ids` also names images in the error for a non-finite prediction. Work
    that metrics share is done once.
    """
    if pred.ndim != 3 or len(pred) == 0:
        raise ValueError(f"predictions must be (B, H, W) with an image, got {tuple(pred.shape)}")
    for what, given in (("ids", ids), ("sets of negatives", others)):
        if given is not None and len(given) != len(pred):
            raise ValueError(f"{len(given)} {what} for a batch of {len(pred)} predictions")
    for name, maps in (("fixation counts", counts), ("density", density), ("baseline", baseline)):
        if maps is not None:
            require_same_shape(pred, maps, name)
    rows: list[dict[str, float]] = [{} for _ in pred]
    fixated = None if counts is None else fixated_of(pred, counts, fixations)
    targets = None if density is None else one_by_one(maps_of(density, "density", ids))
    for index, shown in enumerate(one_by_one(maps_of(pred, "prediction", ids))):
        if fixated is not None:
            named = None if ids is None else (ids[index], seed)
            other = None if others is None else others[index]
            bias = None if baseline is None else baseline[index]
            scene = Scene(shown, fixated[index])
            rows[index] |= _of_fixations(scene, named, other, bias)
            rows[index] |= {"AUC": auc.uniform(scene)} if uniform else {}
        if targets is not None:
            rows[index] |= _of_density(shown, next(targets))
    return {name: as_scores([row[name] for row in rows], pred) for name in rows[0]}


def _of_fixations(
    scene: Scene,
    named: tuple[str, int] | None,
    others: Negatives | None,
    baseline: Tensor | None,
) -> dict[str, float]:
    found = {"NSS": _nss(scene), "AUC-Judd": auc.judd(scene)}
    if named is not None:
        found["AUC-Borji"] = borji.drawn(scene, *named)
    if others is not None:
        found["sAUC"] = auc.shuffled(scene, others)
    if baseline is not None:
        found["IG"] = gain_of_map(scene, baseline.flatten())
    return found


def _of_density(shown: Map, target: Map) -> dict[str, float]:
    sim, kldiv = _sim_and_kldiv(shown, target)
    return {"CC": _cc(shown, target), "SIM": sim, "KLDiv": kldiv}


def _nss(scene: Scene) -> float:
    shown = scene.map
    if not scene.fixated.total or shown.constant:
        return 0.0 if scene.fixated.total else math.nan
    deviation = shown.norm / math.sqrt(len(shown.values))
    return (scene.fixated.mean(scene.at) - shown.mean) / deviation


def _cc(pred: Map, target: Map) -> float:
    if target.constant or pred.constant:
        return math.nan if target.constant else 0.0
    return pred.product(target) / (pred.norm * target.norm)


def _sim_and_kldiv(pred: Map, target: Map) -> tuple[float, float]:
    if target.massless:
        return math.nan, math.nan
    # Both are taken times the density's mass, which saves dividing either map.
    scaled = pred.weights * (target.mass / pred.mass)
    shared = torch.minimum(scaled, target.weights).sum().item()
    quotient = torch.div(target.weights, scaled.add_(MIT_EPSILON * target.mass), out=scaled)
    logs = log_(quotient.add_(MIT_EPSILON))
    return shared / target.mass, torch.dot(target.weights, logs).item() / target.mass


def _pairs(pred: Tensor, density: Tensor) -> list[tuple[Map, Map]]:
    require_same_shape(pred, density, "density")
    return list(zip(maps_of(pred, "prediction"), maps_of(density, "density"), strict=True))
