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

from collections.abc import Sequence

import torch
from torch import Tensor

from pipeline.metrics import auc, borji
from pipeline.metrics.auc import Negatives
from pipeline.metrics.information import MIT_EPSILON, gain_of_map, mean_at
from pipeline.metrics.prepare import Fixated, Fixations, Flat, dots, require_same_shape, scenes

_CHUNK_PIXELS = 1 << 19  # scored at once: float64 copies of more fall out of the processor's cache


def nss(pred: Tensor, counts: Tensor, fixations: Fixations = "repeats") -> Tensor:
    """Normalised scanpath saliency: mean z-score of the prediction at the fixated pixels.

    `pred` `(B, H, W)` of any scale, `counts` `(B, H, W)` → `(B,)` float64. The z-score uses the
    population standard deviation.
    """
    return _nss(_prediction(pred), Fixated.from_counts(pred, counts, fixations))


def cc(pred: Tensor, density: Tensor) -> Tensor:
    """Pearson's linear correlation of the prediction and the density, both `(B, H, W)` → `(B,)`."""
    return _cc(_prediction(pred), _density(pred, density))


def kldiv(pred: Tensor, density: Tensor) -> Tensor:
    """KL divergence of the prediction from the density, in nats; 0 is best.

    Both `(B, H, W)` → `(B,)`, both read as densities (shifted to be non-negative if they are not,
    then divided by their sum): `sum(q * log(eps + q / (p + eps)))` with `eps` = `MIT_EPSILON`.
    """
    return _sim_and_kldiv(_prediction(pred), _density(pred, density))[1]


def sim(pred: Tensor, density: Tensor) -> Tensor:
    """Histogram intersection of the two densities in [0, 1], 1 is best. Shapes as in `kldiv`."""
    return _sim_and_kldiv(_prediction(pred), _density(pred, density))[0]


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
) -> dict[str, Tensor]:
    """All metrics the given annotations allow, by name, each `(B,)` float64.

    With `counts`: `NSS`, `AUC-Judd`; with `ids`, too, on which its draws depend besides `seed`:
    `AUC-Borji`; with `others`, the fixations on all other images: `sAUC`; with `baseline`, log
    densities `(B, H, W)` of where people look whatever the image shows: `IG`. With `density`: `CC`,
    `KLDiv`, `SIM`. Data sets that publish only some of these get only their metrics. `ids` also
    names images in the error for a non-finite prediction. Work that metrics share is done once.
    """
    if pred.ndim != 3 or len(pred) == 0:
        raise ValueError(f"predictions must be (B, H, W) with an image, got {tuple(pred.shape)}")
    for what, rows in (("ids", ids), ("sets of negatives", others)):
        if rows is not None and len(rows) != len(pred):
            raise ValueError(f"{len(rows)} {what} for a batch of {len(pred)} predictions")
    for name, maps in (("fixation counts", counts), ("density", density), ("baseline", baseline)):
        if maps is not None:
            require_same_shape(pred, maps, name)
    size = max(1, _CHUNK_PIXELS // max(1, pred[0].numel()))
    chunks = []
    for start in range(0, len(pred), size):
        part = slice(start, start + size)
        flat = Flat.from_maps(pred[part], "prediction", ids and ids[part], start)
        scores: dict[str, Tensor] = {}
        if counts is not None:
            fixated = Fixated.from_counts(pred[part], counts[part], fixations)
            scores["NSS"] = _nss(flat, fixated)
            scores |= _areas(flat, fixated, ids and ids[part], others and others[part], seed)
            if baseline is not None:
                scores["IG"] = gain_of_map(flat, fixated, baseline[part])
        if density is not None:
            target = Flat.from_maps(density[part], "density", ids and ids[part], start)
            scores["CC"] = _cc(flat, target)
            scores["SIM"], scores["KLDiv"] = _sim_and_kldiv(flat, target)
        chunks.append(scores)
    return {name: torch.cat([chunk[name] for chunk in chunks]) for name in chunks[0]}


def _areas(
    flat: Flat,
    fixated: Fixated,
    ids: Sequence[str] | None,
    others: Sequence[Negatives] | None,
    seed: int,
) -> dict[str, Tensor]:
    images = scenes(flat, fixated)
    areas = {"AUC-Judd": [auc.judd(scene) for scene in images]}
    if ids is not None:
        named = zip(images, ids, strict=True)
        areas["AUC-Borji"] = [borji.drawn(scene, name, seed) for scene, name in named]
    if others is not None:
        areas["sAUC"] = [auc.shuffled(*pair) for pair in zip(images, others, strict=True)]
    return {name: auc.as_scores(area, flat.values) for name, area in areas.items()}


def _nss(pred: Flat, fixated: Fixated) -> Tensor:
    scale = pred.norm / pred.values.shape[1] ** 0.5
    score = (mean_at(fixated, pred.values) - pred.mean.flatten()) / scale
    return _undefined_where(torch.where(pred.constant, 0.0, score), fixated.totals == 0)


def _cc(pred: Flat, target: Flat) -> Tensor:
    score = torch.where(pred.constant, 0.0, pred.product(target) / (pred.norm * target.norm))
    return _undefined_where(score, target.constant)


def _sim_and_kldiv(pred: Flat, target: Flat) -> tuple[Tensor, Tensor]:
    # Both are taken times the density's mass, which saves dividing either map.
    mass = target.mass.flatten()
    scaled = pred.weights * (target.mass / pred.mass)
    shared = torch.minimum(scaled, target.weights).sum(dim=1)
    quotient = torch.div(target.weights, scaled.add_(MIT_EPSILON * target.mass), out=scaled)
    divergence = dots(target.weights, quotient.add_(MIT_EPSILON).log_())
    return (
        _undefined_where(shared / mass, target.massless),
        _undefined_where(divergence / mass, target.massless),
    )


def _prediction(pred: Tensor) -> Flat:
    return Flat.from_maps(pred, "prediction")


def _density(pred: Tensor, density: Tensor) -> Flat:
    require_same_shape(pred, density, "density")
    return Flat.from_maps(density, "density")


def _undefined_where(score: Tensor, undefined: Tensor) -> Tensor:
    return torch.where(undefined, torch.nan, score)
