"""Areas under curves: pysaliency's to the last digits, and what they must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from torch import Tensor

from pipeline.errors import UserError
from pipeline.metrics import auc
from pipeline.metrics.auc import Negatives
from pipeline.metrics.baselines import build
from pipeline.metrics.points import Points
from tests.metrics.maps import points_of, real_like
from tests.metrics.oracle import (
    IGNORED,
    SaliencyMapModel,
    fixations_of,
    general_roc,
    stimuli_of,
)
from tests.metrics.strategies import FEW, SHAPE, count_maps, levels

pytestmark = [pytest.mark.filterwarnings(text) for text in IGNORED]
EXACT = 1e-12


def roc(pred: Tensor, counts: Tensor, negatives: np.ndarray, judd: int = 0) -> float:
    """pysaliency's area; NaN where either side is empty."""
    xs, ys = points_of(counts[0].numpy())
    if not len(xs) or not len(negatives):
        return float("nan")
    return float(general_roc(pred[0].numpy()[ys, xs], negatives, judd=judd)[0])


def equal(ours: Tensor, expected: float, tolerance: float = EXACT) -> bool:
    return bool(np.isclose(ours.item(), expected, rtol=0, atol=tolerance, equal_nan=True))


@FEW
@given(levels(8), count_maps(), count_maps())
def test_areas_are_pysaliencys(pred: Tensor, counts: Tensor, others: Tensor) -> None:
    values = pred[0].numpy()
    assert equal(auc.auc_uniform(pred, counts), roc(pred, counts, values.ravel()))
    judd = roc(pred, counts, values[counts[0].numpy() == 0], judd=1)
    assert equal(auc.auc_judd(pred, counts), judd)
    xs, ys = points_of(others[0].numpy())
    assert equal(auc.sauc(pred, counts, others), roc(pred, counts, values[ys, xs]))
    once = counts.clamp_max(1)
    assert equal(auc.sauc(pred, counts, others, "unique"), roc(pred, once, values[ys, xs]))
    assert equal(auc.auc_uniform(pred, counts, "unique"), roc(pred, once, values.ravel()))


@FEW
@given(levels(8), count_maps(), count_maps())
def test_areas_see_only_order(pred: Tensor, counts: Tensor, others: Tensor) -> None:
    for increasing in (pred.exp(), pred**3 - 5, pred.float().sigmoid(), pred.half(), pred.int()):
        for score in (auc.auc_judd, auc.auc_uniform):
            assert equal(score(increasing, counts), score(pred, counts).item(), 0)
        shuffled = auc.sauc(pred, counts, others).item()
        assert equal(auc.sauc(increasing, counts, others), shuffled, 0)


@FEW
@given(levels(8), count_maps(), count_maps())
def test_turning_the_map_over_turns_the_area_over(
    pred: Tensor, counts: Tensor, others: Tensor
) -> None:
    turned = 1 - auc.sauc(-pred, counts, others).item()
    assert equal(auc.sauc(pred, counts, others), turned)


def test_shuffled_area_over_a_set_of_several_sizes() -> None:
    """Through pysaliency's models, which move the fixations of other images themselves."""
    sizes = [(60, 80), (33, 47), (90, 50)]
    made = [real_like(seed, *size) for seed, size in enumerate(sizes)]
    counts = [count for _, count, _ in made]
    stimuli, fixations = stimuli_of(sizes), fixations_of(counts)

    class Predictions(SaliencyMapModel):
        def _saliency_map(self, stimulus: np.ndarray) -> np.ndarray:
            return made[int(stimulus[0, 0, 0])][0]

    oracle = Predictions()
    ids = [str(number) for number in range(3)]
    baselines = build(dict(zip(ids, map(Points.from_counts, counts))))
    shuffled = oracle.AUC_per_image(stimuli, fixations, nonfixations="shuffled")
    unfixated = oracle.AUC_Judd(stimuli, fixations, jitter=False)
    ours = []
    for name, (pred, count, _) in zip(ids, made):
        maps = torch.from_numpy(pred)[None], torch.from_numpy(count)[None]
        ours += [auc.auc_judd(*maps).item()]
        assert equal(auc.sauc(*maps, [baselines.others(name)]), shuffled[int(name)])
    assert np.mean(ours) == pytest.approx(unfixated, abs=EXACT)


def test_pixels_fixated_in_no_other_image_weigh_nothing() -> None:
    pred, counts, _ = real_like(3, 20, 30)
    maps = torch.from_numpy(pred)[None], torch.from_numpy(counts)[None]
    others = torch.from_numpy(real_like(4, 20, 30)[1])[None]
    padded = others.flatten().nonzero().flatten()
    zero = (others.flatten() == 0).nonzero().flatten()[:50]
    negatives = Negatives(
        torch.cat([padded, zero]), torch.cat([others.flatten()[padded], zero * 0])
    )
    assert auc.sauc(*maps, [negatives]).item() == auc.sauc(*maps, others).item()
    nothing = Negatives(zero, zero * 0)
    assert auc.sauc(*maps, [nothing]).isnan().all()


@pytest.mark.parametrize("height", [3, 200])  # few values are compared, many are counted in bins
@pytest.mark.parametrize(
    "change",
    [
        lambda pred: pred,
        lambda pred: pred * 1e-320,  # no room to bin in
        lambda pred: pred * 1e300,
        lambda pred: (pred * 3).round(),
        lambda pred: torch.where(pred > pred.median(), pred, pred * 1e-9),  # all in one bin
        lambda pred: (pred + 1e6).float(),
    ],
)
def test_ranks_are_exact_at_any_scale(height: int, change: object) -> None:
    pred, counts, _ = real_like(5, height, 70)
    others = torch.from_numpy(real_like(6, height, 70)[1])[None]
    changed = change(torch.from_numpy(pred)[None])
    maps = changed, torch.from_numpy(counts)[None]
    # By rank, since pysaliency adds 1 to the largest value, which must show.
    order = np.unique(changed.numpy(), return_inverse=True)[1]
    plain = torch.from_numpy(order.astype(float)).reshape(changed.shape)
    values = plain[0].numpy()
    xs, ys = points_of(others[0].numpy())
    assert equal(auc.auc_uniform(*maps), roc(plain, maps[1], values.ravel()))
    assert equal(auc.auc_judd(*maps), roc(plain, maps[1], values[counts == 0], judd=1))
    assert equal(auc.sauc(*maps, others), roc(plain, maps[1], values[ys, xs]))


def test_wrong_input_is_refused() -> None:
    pred, counts = torch.rand(2, *SHAPE), torch.ones(2, *SHAPE, dtype=torch.int64)
    with pytest.raises(ValueError, match="1 sets of negatives for 2 predictions"):
        auc.sauc(pred, counts, [Negatives(torch.zeros(1).long(), torch.ones(1).long())])
    with pytest.raises(ValueError, match="whole numbers"):
        auc.sauc(pred, counts, counts * 0.5)
    pred[1, 0, 0] = torch.nan
    for score in (auc.auc_judd, auc.auc_uniform):
        with pytest.raises(UserError, match="batch index 1"):
            score(pred, counts)
    with pytest.raises(UserError, match="batch index 1"):
        auc.sauc(pred, counts, counts)
