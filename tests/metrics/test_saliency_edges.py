"""Degenerate maps have defined scores; bad input says what is wrong."""

from __future__ import annotations

import pytest
import torch

from pipeline.errors import UserError
from pipeline.metrics import auc, saliency


def _maps(*rows: list[float]) -> torch.Tensor:
    return torch.tensor([rows], dtype=torch.float64)


RAMP = _maps([1, 2], [3, 4])
ONE = _maps([0, 0], [0, 1]).long()


def test_no_fixation_is_undefined() -> None:
    assert saliency.nss(RAMP, torch.zeros_like(ONE)).isnan().all()
    assert auc.auc_judd(RAMP, torch.zeros_like(ONE)).isnan().all()


def test_every_pixel_fixated_leaves_auc_without_a_negative() -> None:
    assert auc.auc_judd(RAMP, torch.ones_like(ONE)).isnan().all()
    assert saliency.nss(RAMP, torch.ones_like(ONE)).item() == pytest.approx(0)


@pytest.mark.parametrize("level", [0.0, 0.1, -3.0, 1e6])
def test_constant_prediction_is_chance(level: float) -> None:
    # 0.1 has no exact mean in binary: a standard deviation compared with 0 would miss it.
    pred = torch.full((1, 7, 9), level, dtype=torch.float64)
    counts = torch.zeros(1, 7, 9, dtype=torch.int32)
    counts[0, 2, 3] = 2
    assert saliency.nss(pred, counts).item() == 0
    assert auc.auc_judd(pred, counts).item() == 0.5
    assert saliency.cc(pred, counts.double()).item() == 0
    assert saliency.sim(pred, counts.double()).item() == pytest.approx(1 / 63)


def test_density_without_mass_is_undefined() -> None:
    nothing = torch.zeros_like(RAMP)
    for metric in (saliency.cc, saliency.kldiv, saliency.sim):
        assert metric(RAMP, nothing).isnan().all()


def test_constant_density_is_uniform_but_has_no_correlation() -> None:
    flat = torch.full_like(RAMP, 0.5)
    assert saliency.cc(RAMP, flat).isnan().all()
    assert saliency.kldiv(flat, flat).item() == pytest.approx(0, abs=1e-12)
    assert saliency.sim(flat, flat).item() == pytest.approx(1)


def test_perfect_and_worst_ranking() -> None:
    assert auc.auc_judd(RAMP, ONE).item() == 1
    # The curve runs through the fixated values alone: k of them cannot score below 1/2k.
    assert auc.auc_judd(-RAMP, ONE).item() == 1 / 2
    two = _maps([0, 0], [1, 1]).long()
    assert auc.auc_judd(-RAMP, two).item() == 1 / 4


def test_a_prediction_missing_all_mass_is_bad_but_finite() -> None:
    left, right = _maps([1, 0], [1, 0]), _maps([0, 1], [0, 1])
    assert saliency.sim(left, right).item() == 0
    assert 30 < saliency.kldiv(left, right).item() < 40  # -log of the MIT epsilon is 36


def test_repeats_weigh_and_unique_does_not() -> None:
    counts = _maps([1, 0], [0, 3]).long()
    assert saliency.nss(RAMP, counts).item() > saliency.nss(RAMP, counts, "unique").item()


def test_integer_and_half_maps_are_scored() -> None:
    exact = saliency.saliency_metrics(RAMP, ONE, RAMP)
    for dtype in (torch.uint8, torch.float16, torch.bfloat16):
        scores = saliency.saliency_metrics(RAMP.to(dtype), ONE, RAMP)
        assert {name: value.item() for name, value in scores.items()} == {
            name: value.item() for name, value in exact.items()
        }


def test_only_the_annotations_given_are_scored() -> None:
    assert set(saliency.saliency_metrics(RAMP, ONE)) == {"NSS", "AUC-Judd"}
    assert set(saliency.saliency_metrics(RAMP, density=RAMP)) == {"CC", "KLDiv", "SIM"}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_non_finite_prediction_names_its_image(value: float) -> None:
    pred = torch.cat([RAMP, RAMP])
    pred[1, 0, 0] = value
    with pytest.raises(UserError, match=r"in horse;.*diverged"):
        saliency.saliency_metrics(pred, torch.cat([ONE, ONE]), ids=["cat", "horse"])
    for metric in (saliency.nss, auc.auc_judd, saliency.cc, saliency.kldiv, saliency.sim):
        with pytest.raises(UserError, match=r"prediction has NaN .* batch index 1"):
            metric(pred, torch.cat([ONE, ONE]))


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="resize the prediction"):
        saliency.nss(RAMP, ONE[:, :1])
    with pytest.raises(ValueError, match=r"\(B, H, W\)"):
        saliency.cc(RAMP[0], RAMP[0])
    for counts in (-ONE, ONE * 0.5):
        with pytest.raises(ValueError, match="whole numbers"):
            saliency.nss(RAMP, counts)
    with pytest.raises(ValueError, match="'repeats' or 'unique'"):
        auc.auc_judd(RAMP, ONE, "once")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="2 ids"):
        saliency.saliency_metrics(RAMP, ONE, ids=["a", "b"])
