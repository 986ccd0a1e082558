"""Saliency metrics on batches: NSS, AUC-Judd, CC, KLDiv, SIM.

Names and conventions are those of the MIT/Tübingen saliency benchmark. Sums run in float64 whatever
the dtype of the maps, so a score does not depend on batch size or device beyond rounding.

Fixations come as count maps: `counts[b, y, x]` is how often that pixel was fixated. By default
every repeat counts (`fixations="repeats"`, as the benchmark does); `fixations="unique"` reads the
map as a mask, which is what the published FastSal code reports. Say which one a number is.

Undefined scores are NaN, never a made-up value: no fixation (NSS, AUC-Judd), every pixel fixated
(AUC-Judd), a density without mass (CC, KLDiv, SIM) or a constant density (CC).
A constant prediction is defined: NSS 0, AUC-Judd 0.5, CC 0, and a uniform density in KLDiv and SIM.

All raise `UserError` for NaN or infinite values and `ValueError` for shapes that differ or counts
that are not whole non-negative numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pipeline.metrics.prepare import Fixations, Flat, require_same_shape, weights_of

MIT_EPSILON = 2.2204e-16
"""Regularises quotient and logarithm in KLDiv, with the digits the MIT benchmark's code has."""

_CHUNK_PIXELS = 1 << 19  # scored at once: float64 copies of more fall out of the processor's cache


def nss(pred: Tensor, counts: Tensor, fixations: Fixations = "repeats") -> Tensor:
    """Normalised scanpath saliency: mean z-score of the prediction at the fixated pixels.

    `pred` `(B, H, W)` of any scale, `counts` `(B, H, W)` → `(B,)` float64. The z-score uses the
    population standard deviation.
    """
    return _nss(_prediction(pred), weights_of(pred, counts, fixations))


def auc_judd(pred: Tensor, counts: Tensor, fixations: Fixations = "repeats") -> Tensor:
    """Area under the ROC curve of 'fixated' against 'never fixated', thresholds at fixated values.

    `pred` `(B, H, W)`, `counts` `(B, H, W)` → `(B,)` float64. Exact: counts are integers until the
    last division, ties fall on the same side of every threshold, and no jitter is added, so any
    strictly increasing change of the prediction leaves the score alone. The curve is straight
    between thresholds, so `k` distinct fixated values score no less than `1 / 2k`.
    """
    return _auc_judd(_prediction(pred), weights_of(pred, counts, fixations))


def cc(pred: Tensor, density: Tensor) -> Tensor:
    """Pearson's linear correlation of the prediction and the density, both `(B, H, W)` → `(B,)`."""
    return _cc(_prediction(pred), _density(pred, density))


def kldiv(pred: Tensor, density: Tensor) -> Tensor:
    """KL divergence of the prediction from the density, in nats; 0 is best.

    Both `(B, H, W)` → `(B,)`, both read as densities (shifted to be non-negative if they are not,
    then divided by their sum): `sum(q * log(eps + q / (p + eps)))` with `eps` = `MIT_EPSILON`.
    """
    target = _density(pred, density)
    return _kldiv(_prediction(pred).normalised(), target.normalised(), target.massless)


def sim(pred: Tensor, density: Tensor) -> Tensor:
    """Histogram intersection of the two densities in [0, 1], 1 is best. Shapes as in `kldiv`."""
    target = _density(pred, density)
    return _sim(_prediction(pred).normalised(), target.normalised(), target.massless)


def saliency_metrics(
    pred: Tensor,
    counts: Tensor | None = None,
    density: Tensor | None = None,
    *,
    fixations: Fixations = "repeats",
    ids: Sequence[str] | None = None,
) -> dict[str, Tensor]:
    """All metrics the given annotations allow, by name, each `(B,)` float64.

    With `counts`: `NSS`, `AUC-Judd`; with `density`: `CC`, `KLDiv`, `SIM`. Data sets that publish
    only one of the two get only its metrics. `ids` names images in the error for a non-finite
    prediction. Work that metrics share is done once.
    """
    if pred.ndim != 3 or len(pred) == 0:
        raise ValueError(f"predictions must be (B, H, W) with an image, got {tuple(pred.shape)}")
    if ids is not None and len(ids) != len(pred):
        raise ValueError(f"{len(ids)} ids for a batch of {len(pred)} predictions")
    for name, other in (("fixation counts", counts), ("density", density)):
        if other is not None:
            require_same_shape(pred, other, name)
    names = ids if ids is not None else [f"batch index {index}" for index in range(len(pred))]
    size = max(1, _CHUNK_PIXELS // max(1, pred[0].numel()))
    chunks = [
        _chunk_metrics(
            pred[part],
            None if counts is None else counts[part],
            None if density is None else density[part],
            fixations,
            names[part],
        )
        for part in (slice(start, start + size) for start in range(0, len(pred), size))
    ]
    return {name: torch.cat([chunk[name] for chunk in chunks]) for name in chunks[0]}


def _chunk_metrics(
    pred: Tensor,
    counts: Tensor | None,
    density: Tensor | None,
    fixations: Fixations,
    ids: Sequence[str],
) -> dict[str, Tensor]:
    scores: dict[str, Tensor] = {}
    flat = Flat.from_maps(pred, "prediction", ids)
    if counts is not None:
        weights = weights_of(pred, counts, fixations)
        scores["NSS"] = _nss(flat, weights)
        scores["AUC-Judd"] = _auc_judd(flat, weights)
    if density is not None:
        target = Flat.from_maps(density, "density", ids)
        scores["CC"] = _cc(flat, target)
        p, q = flat.normalised(), target.normalised()
        scores["SIM"] = _sim(p, q, target.massless)
        scores["KLDiv"] = _kldiv(p, q, target.massless)
    return scores


def _nss(pred: Flat, weights: Tensor) -> Tensor:
    image, pixel = weights.nonzero(as_tuple=True)
    repeats = weights[image, pixel].double()
    deviation = pred.centred.norm(dim=1) / pred.values.shape[1] ** 0.5
    weighted = pred.centred[image, pixel] * repeats
    fixations = torch.zeros_like(deviation).index_add_(0, image, repeats)
    score = torch.zeros_like(deviation).index_add_(0, image, weighted) / (fixations * deviation)
    return _undefined_where(torch.where(pred.constant, 0.0, score), fixations == 0)


def _auc_judd(pred: Flat, weights: Tensor) -> Tensor:
    pairs = zip(pred.values, weights, strict=True)
    scores = [_auc_of_image(values, weight) for values, weight in pairs]
    return torch.tensor(scores, dtype=torch.float64, device=weights.device)


def _auc_of_image(values: Tensor, weights: Tensor) -> float:
    """AUC-Judd of one flattened map; `weights` is how often each pixel was fixated."""
    fixated = weights.nonzero().flatten()
    negatives = len(values) - len(fixated)
    if len(fixated) == 0 or negatives == 0:
        return float("nan")
    thresholds, place = torch.unique(values[fixated], return_inverse=True)
    at_threshold = torch.zeros(len(thresholds) + 1, dtype=torch.int64, device=values.device)
    hits = at_threshold.scatter_add(0, place, weights[fixated]).flip(0).cumsum(0).flip(0)
    total = hits[:1]
    # A negative between two neighbouring thresholds widens one trapezoid of the curve, whose height
    # is the mean hit rate of the two; below all thresholds the curve runs at hit rate 1.
    twice_height = torch.cat([2 * total, hits[:-1] + hits[1:]])
    trapezoid = torch.bucketize(values, thresholds, right=True)
    widths = torch.bincount(trapezoid, minlength=len(twice_height))
    widths -= torch.bincount(place + 1, minlength=len(twice_height))  # fixated: not negatives
    area = int((widths * twice_height).sum())
    return area / (2 * int(total) * negatives)


def _cc(pred: Flat, target: Flat) -> Tensor:
    first, second = pred.centred, target.centred
    norms = first.norm(dim=1) * second.norm(dim=1)
    score = torch.where(pred.constant, 0.0, torch.linalg.vecdot(first, second) / norms)
    return _undefined_where(score, target.constant)


def _kldiv(p: Tensor, q: Tensor, massless: Tensor) -> Tensor:
    logs = (q / (p + MIT_EPSILON)).add_(MIT_EPSILON).log_()
    return _undefined_where(torch.linalg.vecdot(q, logs), massless)


def _sim(p: Tensor, q: Tensor, massless: Tensor) -> Tensor:
    return _undefined_where(torch.minimum(p, q).sum(dim=1), massless)


def _prediction(pred: Tensor) -> Flat:
    return Flat.from_maps(pred, "prediction")


def _density(pred: Tensor, density: Tensor) -> Flat:
    require_same_shape(pred, density, "density")
    return Flat.from_maps(density, "density")


def _undefined_where(score: Tensor, undefined: Tensor) -> Tensor:
    return torch.where(undefined, torch.nan, score)
