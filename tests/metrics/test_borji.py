"""Drawn areas: Borji's curves one by one, their expectation, and draws that ids alone decide."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pipeline.errors import UserError
from pipeline.metrics import auc, borji
from tests.metrics.maps import points_of, real_like
from tests.metrics.oracle import IGNORED, general_roc
from tests.metrics.strategies import FEW, SHAPE, count_maps, levels

pytestmark = [pytest.mark.filterwarnings(text) for text in IGNORED]


def batch(*seeds: int) -> tuple[Tensor, Tensor]:
    made = [real_like(seed) for seed in seeds]
    return tuple(torch.from_numpy(np.stack([m[part] for m in made])) for part in (0, 1))


def curve_area(fixated: np.ndarray, drawn: np.ndarray, step: float) -> float:
    """One curve as Borji's code draws it, from its highest threshold down."""
    top = max(fixated.max(), drawn.max())
    thresholds = [k * step for k in range(1 + math.floor(1 / step + 1e-9)) if k * step <= top]
    hit, alarm = [0.0], [0.0]
    for threshold in reversed(thresholds):
        hit += [float((fixated >= threshold).mean())]
        alarm += [float((drawn >= threshold).mean())]
    hit, alarm = [*hit, 1.0], [*alarm, 1.0]
    return sum((alarm[i + 1] - alarm[i]) * (hit[i + 1] + hit[i]) / 2 for i in range(len(hit) - 1))


def scaled(pred: np.ndarray) -> np.ndarray:
    spread = pred.max() - pred.min()
    return (pred - pred.min()) / (spread or 1)


@FEW
@given(levels(20, 0.37), count_maps(), st.sampled_from([0.1, 0.05, 0.3, 1.0]), st.integers(0, 9))
def test_the_score_is_the_mean_of_its_curves(
    pred: Tensor, counts: Tensor, step: float, seed: int
) -> None:
    ours = borji.auc_borji(pred, counts, ["x"], seed=seed, splits=7, step=step).item()
    xs, ys = points_of(counts[0].numpy())
    if not len(xs):
        assert math.isnan(ours)
        return
    normalised = scaled(pred[0].numpy())
    draws = borji.generator(seed, "x").integers(pred.numel(), size=7 * len(xs), dtype=np.int32)
    splits = normalised.ravel()[draws].reshape(7, -1)
    areas = [curve_area(normalised[ys, xs], split, step) for split in splits]
    assert ours == pytest.approx(np.mean(areas), abs=1e-12)


@FEW
@given(levels(8, 0.37), count_maps())
def test_the_expectation_is_pysaliencys_area_of_the_stepped_map(
    pred: Tensor, counts: Tensor
) -> None:
    ours = borji.auc_borji_expected(pred, counts).item()
    xs, ys = points_of(counts[0].numpy())
    if not len(xs):
        assert math.isnan(ours)
        return
    thresholds = np.arange(11) * 0.1
    stepped = np.searchsorted(thresholds, scaled(pred[0].numpy()), side="right").astype(float)
    assert ours == pytest.approx(general_roc(stepped[ys, xs], stepped.ravel())[0], abs=1e-12)


def test_draws_tend_to_the_expectation_and_steps_to_the_uniform_area() -> None:
    pred, counts = batch(0, 1)
    many = borji.auc_borji(pred, counts, ["a", "b"], splits=3000)
    expected = borji.auc_borji_expected(pred, counts)
    # 270 000 draws each: a standard error of 6e-4 at most.
    assert torch.allclose(many, expected, atol=3e-3, rtol=0)
    fine = borji.auc_borji_expected(pred, counts, step=1e-5)
    assert torch.allclose(fine, auc.auc_uniform(pred, counts), atol=1e-4, rtol=0)


def test_draws_depend_on_seed_and_id_alone() -> None:
    pred, counts = batch(0, 1, 2)
    ids = ["a", "b", "c"]
    together = borji.auc_borji(pred, counts, ids)
    assert torch.equal(together, borji.auc_borji(pred, counts, ids))
    turned = borji.auc_borji(pred.flip(0), counts.flip(0), ids[::-1])
    assert torch.equal(turned.flip(0), together)
    for index, name in enumerate(ids):
        alone = borji.auc_borji(pred[index : index + 1], counts[index : index + 1], [name])
        assert torch.equal(alone, together[index : index + 1])
    assert not torch.equal(borji.auc_borji(pred, counts, ids, seed=1), together)
    assert not torch.equal(borji.auc_borji(pred, counts, ["d", "e", "f"]), together)


def test_single_precision_draws_the_same() -> None:
    pred, counts = batch(0, 1)
    single = pred.float()
    first = borji.auc_borji(single, counts, ["a", "b"])
    assert torch.equal(first, borji.auc_borji(single.double(), counts, ["a", "b"]))


def test_the_authors_shuffled_area_draws_pixels_fixated_elsewhere() -> None:
    pred, counts = batch(0)
    others = torch.from_numpy(sum(real_like(seed)[1] for seed in range(1, 6)))[None]
    ours = borji.sauc_borji(pred, counts, others, ["x"], splits=2000).item()
    normalised = scaled(pred[0].numpy())
    pool = normalised[(others[0].numpy() > 0) & (counts[0].numpy() == 0)]
    expected = curve_area(normalised[counts[0].numpy() > 0], pool, 0.1)
    assert ours == pytest.approx(expected, abs=3e-3)
    again = borji.sauc_borji(pred, counts, others, ["x"], splits=2000).item()
    assert again == ours
    fewer = torch.zeros_like(counts)
    fewer[0, 2, 3] = 4  # one pixel to draw: every split is that pixel
    counts[0, 2, 3] = 0
    one = borji.sauc_borji(pred, counts, fewer, ["x"]).item()
    alone = curve_area(normalised[counts[0].numpy() > 0], normalised[2, 3:4], 0.1)
    assert one == pytest.approx(alone, abs=1e-12)
    assert math.isnan(borji.sauc_borji(pred, counts, torch.zeros_like(counts), ["x"]).item())


def test_degenerate_maps() -> None:
    counts = torch.zeros(1, *SHAPE, dtype=torch.int64)
    flat = torch.full((1, *SHAPE), 0.1)
    assert borji.auc_borji(flat, counts, ["x"]).isnan().all()
    counts[0, 1, 1] = 3
    assert borji.auc_borji(flat, counts, ["x"]).item() == 0.5
    assert borji.auc_borji_expected(flat, counts).item() == 0.5
    every = torch.ones_like(counts)
    ramp = torch.arange(30.0).reshape(1, *SHAPE)
    assert borji.auc_borji_expected(ramp, every).item() == pytest.approx(0.5)


def test_wrong_input_is_refused() -> None:
    pred, counts = batch(0)
    with pytest.raises(ValueError, match="2 ids for a batch of 1"):
        borji.auc_borji(pred, counts, ["a", "b"])
    for wrong in ({"splits": 0}, {"step": 0.0}, {"step": 1.5}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            borji.auc_borji(pred, counts, ["a"], **wrong)
    pred[0, 0, 0] = math.inf
    with pytest.raises(UserError, match="NaN or infinite"):
        borji.auc_borji(pred, counts, ["a"])
