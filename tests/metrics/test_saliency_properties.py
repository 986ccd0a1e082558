"""Fast equals slow, and what each metric must not depend on."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pipeline.metrics import auc, saliency
from tests.metrics.strategies import FEW, count_maps, levels

PREDICTIONS = levels(8)
COUNTS = count_maps()
DENSITIES = levels(50)


def slow_nss(pred: Tensor, counts: Tensor) -> float:
    values, repeats = pred.flatten().tolist(), counts.flatten().tolist()
    if sum(repeats) == 0:
        return math.nan
    mean = sum(values) / len(values)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
    if deviation == 0:
        return 0.0
    scores = [
        (value - mean) / deviation
        for value, n in zip(values, repeats, strict=True)
        for _ in range(n)
    ]
    return sum(scores) / len(scores)


def slow_auc_judd(pred: Tensor, counts: Tensor) -> float:
    """The ROC curve drawn point by point, from the top threshold down, and its trapezoids."""
    values, repeats = pred.flatten().tolist(), counts.flatten().tolist()
    hits = [value for value, n in zip(values, repeats, strict=True) for _ in range(n)]
    misses = [value for value, n in zip(values, repeats, strict=True) if n == 0]
    if not hits or not misses:
        return math.nan
    curve = [(0.0, 0.0)]
    for threshold in sorted(set(hits), reverse=True):
        false_rate = sum(value >= threshold for value in misses) / len(misses)
        curve.append((false_rate, sum(value >= threshold for value in hits) / len(hits)))
    curve.append((1.0, 1.0))
    steps = pairwise(curve)
    return sum((right[0] - left[0]) * (right[1] + left[1]) / 2 for left, right in steps)


def same(ours: Tensor, expected: float | Tensor, tolerance: float = 1e-9) -> bool:
    value = expected.item() if isinstance(expected, Tensor) else expected
    return bool(np.isclose(ours.item(), value, rtol=0, atol=tolerance, equal_nan=True))


@FEW
@given(PREDICTIONS, COUNTS)
def test_fixation_metrics_equal_their_slow_forms(pred: Tensor, counts: Tensor) -> None:
    assert same(saliency.nss(pred, counts), slow_nss(pred, counts))
    assert same(auc.auc_judd(pred, counts), slow_auc_judd(pred, counts), 1e-14)
    once = counts.clamp_max(1)
    assert same(saliency.nss(pred, counts, "unique"), slow_nss(pred, once))
    assert same(auc.auc_judd(pred, counts, "unique"), slow_auc_judd(pred, once), 1e-14)


@FEW
@given(PREDICTIONS, COUNTS, DENSITIES, st.floats(0.01, 100), st.floats(-50, 50))
def test_nss_and_cc_ignore_scale_and_offset(
    pred: Tensor, counts: Tensor, density: Tensor, scale: float, offset: float
) -> None:
    changed = pred * scale + offset
    assert same(saliency.nss(changed, counts), saliency.nss(pred, counts), 1e-7)
    assert same(saliency.cc(changed, density), saliency.cc(pred, density), 1e-7)
    assert same(saliency.cc(-changed, density), -saliency.cc(pred, density), 1e-7)


@FEW
@given(PREDICTIONS, COUNTS)
def test_auc_sees_only_order(pred: Tensor, counts: Tensor) -> None:
    score = auc.auc_judd(pred, counts)
    for increasing in (pred.exp(), pred**3 - 5, pred.float().sigmoid(), pred.half()):
        assert same(auc.auc_judd(increasing, counts), score, 0)


@FEW
@given(PREDICTIONS, DENSITIES, st.floats(0.01, 100))
def test_sim_and_kldiv_are_bounded_and_ignore_scale(
    pred: Tensor, density: Tensor, scale: float
) -> None:
    sim, kldiv = saliency.sim(pred, density), saliency.kldiv(pred, density)
    if density.sum() == 0:
        assert sim.isnan().item()
        assert kldiv.isnan().item()
        return
    assert -1e-12 <= sim.item() <= 1 + 1e-12
    assert kldiv.item() >= -1e-9
    assert same(saliency.sim(pred * scale, density * scale), sim)
    # Where the prediction is 0 the value is set by the epsilon, which magnifies rounding.
    assert same(saliency.kldiv(pred * scale, density * scale), kldiv, 1e-6)
    assert same(saliency.sim(density, density), 1.0)
    assert same(saliency.kldiv(density, density), 0.0)


@FEW
@given(st.lists(st.tuples(PREDICTIONS, COUNTS, DENSITIES), min_size=2, max_size=4))
def test_a_batch_scores_as_its_images_do(images: list[tuple[Tensor, Tensor, Tensor]]) -> None:
    batch = saliency.saliency_metrics(*(torch.cat(maps) for maps in zip(*images, strict=True)))
    assert list(batch) == ["NSS", "AUC-Judd", "CC", "SIM", "KLDiv"]
    for index, image in enumerate(images):
        alone = saliency.saliency_metrics(*image)
        for name, values in batch.items():
            assert values.shape == (len(images),)
            assert values.dtype == torch.float64
            assert same(values[index], alone[name], 1e-12)
