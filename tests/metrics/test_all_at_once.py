"""`saliency_metrics` of a batch: each image as if alone, each metric as if alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline.metrics import auc, borji, information, saliency
from pipeline.metrics.auc import Negatives
from pipeline.metrics.baselines import Baselines, build
from pipeline.metrics.points import Points
from tests.metrics.maps import points_of, real_like
from tests.metrics.oracle import metrics as oracle

IDS = ["a", "b", "c", "d"]
MADE = [real_like(seed) for seed in range(4)]
PREDS, COUNTS, DENSITIES = (
    torch.from_numpy(np.stack([made[part] for made in MADE])) for part in range(3)
)
ORDER = ["NSS", "AUC-Judd", "AUC-Borji", "sAUC", "IG", "CC", "SIM", "KLDiv"]


@pytest.fixture(scope="module")
def baselines() -> Baselines:
    return build(dict(zip(IDS, map(Points.from_counts, COUNTS))))


def context(baselines: Baselines, ids: list[str]) -> tuple[list[Negatives], Tensor]:
    return [baselines.others(i) for i in ids], torch.stack([baselines.baseline(i) for i in ids])


def test_every_metric_is_the_one_of_its_name(baselines: Baselines) -> None:
    others, bias = context(baselines, IDS)
    found = saliency.saliency_metrics(
        PREDS, COUNTS, DENSITIES, others=others, baseline=bias, ids=IDS, seed=3
    )
    alone = {
        "NSS": saliency.nss(PREDS, COUNTS),
        "AUC-Judd": auc.auc_judd(PREDS, COUNTS),
        "AUC-Borji": borji.auc_borji(PREDS, COUNTS, IDS, seed=3),
        "sAUC": auc.sauc(PREDS, COUNTS, others),
        "IG": information.information_gain_of_map(PREDS, COUNTS, bias),
        "CC": saliency.cc(PREDS, DENSITIES),
        "SIM": saliency.sim(PREDS, DENSITIES),
        "KLDiv": saliency.kldiv(PREDS, DENSITIES),
    }
    assert list(found) == list(alone) == ORDER
    for name, values in alone.items():
        torch.testing.assert_close(found[name], values, rtol=0, atol=1e-12)


@pytest.mark.parametrize("order", [[0], [2, 0], [3, 2, 1, 0]])
def test_neither_batch_nor_order_matters(baselines: Baselines, order: list[int]) -> None:
    def scored(rows: list[int]) -> dict[str, Tensor]:
        ids = [IDS[row] for row in rows]
        others, bias = context(baselines, ids)
        return saliency.saliency_metrics(
            PREDS[rows], COUNTS[rows], DENSITIES[rows], others=others, baseline=bias, ids=ids
        )

    whole, part = scored([0, 1, 2, 3]), scored(order)
    for name, values in part.items():
        tolerance = 0 if name.startswith(("AUC", "sAUC")) else 1e-12
        torch.testing.assert_close(values, whole[name][order], rtol=0, atol=tolerance)


def test_single_precision_maps_are_scored_as_their_values_in_double(baselines: Baselines) -> None:
    others, bias = context(baselines, IDS)
    single = [maps.float() for maps in (PREDS, DENSITIES)]
    scores = [
        saliency.saliency_metrics(pred, COUNTS.int(), density, others=others, baseline=bias)
        for pred, density in (single, [maps.double() for maps in single])
    ]
    for name, values in scores[0].items():
        torch.testing.assert_close(values, scores[1][name], rtol=0, atol=1e-13)


@pytest.mark.parametrize("offset", [0.0, 1.0, 1e3, 1e6, -1e6])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e5])
def test_means_far_from_zero_lose_no_digits(offset: float, scale: float) -> None:
    """Sums of squares alone would: of 1e6 with deviations of 1e-3 none would be left."""
    preds, densities = PREDS * scale + offset, DENSITIES + abs(offset)
    for pred, density, counts, ours in zip(
        preds.numpy(),
        densities.numpy(),
        COUNTS.numpy(),
        zip(saliency.nss(preds, COUNTS), saliency.cc(preds, densities), strict=True),
    ):
        xs, ys = points_of(counts)
        close = {"rel": 0, "abs": 1e-9 * max(1, abs(offset) / scale)}
        assert ours[0].item() == pytest.approx(oracle.NSS(pred, xs, ys).mean(), **close)
        assert ours[1].item() == pytest.approx(oracle.CC(pred, density), **close)
    near = saliency.cc(PREDS * 1e-3 + 1e6, PREDS)
    torch.testing.assert_close(near, torch.ones_like(near), rtol=0, atol=1e-7)


def test_the_uniform_area_on_request() -> None:
    found = saliency.saliency_metrics(PREDS, COUNTS, uniform=True)
    assert list(found) == ["NSS", "AUC-Judd", "AUC"]
    assert torch.equal(found["AUC"], auc.auc_uniform(PREDS, COUNTS))


def test_what_is_not_given_is_not_scored(baselines: Baselines) -> None:
    others, bias = context(baselines, IDS)
    assert set(saliency.saliency_metrics(PREDS, COUNTS, others=others)) == {
        "NSS",
        "AUC-Judd",
        "sAUC",
    }
    assert set(saliency.saliency_metrics(PREDS, COUNTS, baseline=bias, ids=IDS)) == {
        "NSS",
        "AUC-Judd",
        "AUC-Borji",
        "IG",
    }
    with pytest.raises(ValueError, match="1 sets of negatives"):
        saliency.saliency_metrics(PREDS, COUNTS, others=others[:1])
    with pytest.raises(ValueError, match="baseline"):
        saliency.saliency_metrics(PREDS, COUNTS, baseline=bias[:, :5])
