"""Information gain is pysaliency's, whatever a map is divided by."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pipeline.errors import UserError
from pipeline.metrics import information, saliency
from pipeline.metrics.centre_bias import centre_bias
from tests.metrics.maps import real_like
from tests.metrics.oracle import (
    IGNORED,
    Model,
    SaliencyMapModel,
    fixations_of,
    pysaliency,
    stimuli_of,
)
from tests.metrics.strategies import FEW, SHAPE, count_maps, levels

pytestmark = [pytest.mark.filterwarnings(text) for text in IGNORED]


class Densities(Model):
    """Log densities by number of the picture."""

    def __init__(self, maps: list[np.ndarray]) -> None:
        super().__init__(caching=False)
        self._maps = maps

    def _log_density(self, stimulus: np.ndarray) -> np.ndarray:
        return self._maps[int(stimulus[0, 0, 0])]


class Maps(SaliencyMapModel):
    def __init__(self, maps: list[np.ndarray]) -> None:
        super().__init__(caching=False)
        self._maps = maps

    def _saliency_map(self, stimulus: np.ndarray) -> np.ndarray:
        return self._maps[int(stimulus[0, 0, 0])]


def log_softmax(values: Tensor) -> Tensor:
    return values.flatten(1).log_softmax(1).reshape(values.shape)


def test_equals_pysaliency_over_a_set() -> None:
    made = [real_like(seed) for seed in range(4)]
    counts = [count for _, count, _ in made]
    stimuli, fixations = stimuli_of([count.shape for count in counts]), fixations_of(counts)
    bias = centre_bias(counts, 60, 80, bandwidth=0.1, uniform=0.01)
    baseline = Densities([bias.numpy()] * 4)
    preds = torch.from_numpy(np.stack([pred for pred, _, _ in made]))
    stack = torch.from_numpy(np.stack(counts))
    batch = bias.expand(4, -1, -1)

    log = log_softmax(preds)
    density = Densities([row.numpy() for row in log])
    ours = information.information_gain(log, stack, batch)
    expected = density.information_gains(stimuli, fixations, baseline)
    by_image = [expected[fixations.n == n].mean() for n in range(4)]
    np.testing.assert_allclose(ours, by_image, rtol=0, atol=1e-12)
    likely = information.log_likelihood(log, stack)
    found = density.log_likelihoods(stimuli, fixations)
    by_image = [found[fixations.n == n].mean() for n in range(4)]
    np.testing.assert_allclose(likely, by_image, rtol=0, atol=1e-12)

    normalised = pysaliency.models.SaliencyMapNormalizingModel(Maps([p.numpy() for p in preds]))
    ours = information.information_gain_of_map(preds, stack, batch)
    expected = normalised.information_gains(stimuli, fixations, baseline)
    by_image = [expected[fixations.n == n].mean() for n in range(4)]
    np.testing.assert_allclose(ours, by_image, rtol=0, atol=1e-10)
    reported = saliency.saliency_metrics(preds, stack, baseline=batch)["IG"]
    assert torch.equal(reported, ours)


@FEW
@given(levels(8), count_maps(), st.floats(0.01, 100))
def test_ig_ignores_scale_and_is_0_for_its_own_baseline(
    pred: Tensor, counts: Tensor, scale: float
) -> None:
    baseline = log_softmax(pred.flip(1) / 4)
    gain = information.information_gain_of_map(pred, counts, baseline)
    again = information.information_gain_of_map(pred * scale, counts, baseline)
    assert torch.allclose(gain, again, rtol=0, atol=1e-9, equal_nan=True)
    own = information.information_gain_of_map(baseline.exp(), counts, baseline)
    none = torch.zeros(1, dtype=torch.float64) if counts.sum() else own * torch.nan
    assert torch.allclose(own, none, rtol=0, atol=1e-9, equal_nan=True)
    single = information.information_gain_of_map(pred.float(), counts, baseline)
    assert torch.equal(single.nan_to_num(), gain.nan_to_num())  # small whole numbers


@FEW
@given(levels(8), count_maps())
def test_ig_by_its_definition(pred: Tensor, counts: Tensor) -> None:
    baseline = log_softmax(pred.flip(2) / 5)
    values, repeats = pred[0].flatten().tolist(), counts[0].flatten().tolist()
    mass = sum(values)
    bits = [
        math.log2(max(value / mass if mass else 1 / 30, 2.2204e-16)) - known / math.log(2)
        for value, known in zip(values, baseline.flatten().tolist())
    ]
    total = sum(repeats)
    ours = information.information_gain_of_map(pred, counts, baseline).item()
    if not total:
        assert math.isnan(ours)
        return
    expected = sum(bit * n for bit, n in zip(bits, repeats)) / total
    assert ours == pytest.approx(expected, abs=1e-9)
    once = information.information_gain_of_map(pred, counts, baseline, "unique").item()
    assert once == pytest.approx(
        sum(bit for bit, n in zip(bits, repeats) if n) / sum(map(bool, repeats)), abs=1e-9
    )


@FEW
@given(levels(8), levels(8), count_maps())
def test_the_benchmarks_variant_stretches_both_maps(
    pred: Tensor, baseline: Tensor, counts: Tensor
) -> None:
    def stretched(maps: Tensor) -> np.ndarray:
        values = maps[0].numpy() - maps.min().item()
        return values / values.sum() if values.any() else np.full(SHAPE, 1 / 30)

    mask = counts[0].numpy() > 0
    ours = information.information_gain_mit(pred, counts, baseline).item()
    if not mask.any():
        assert math.isnan(ours)
        return
    p, b = stretched(pred)[mask], stretched(baseline)[mask]
    expected = np.mean(np.log2(2.2204e-16 + p) - np.log2(2.2204e-16 + b))
    assert ours == pytest.approx(expected, abs=1e-9)


def test_an_impossible_fixation() -> None:
    pred, counts = torch.zeros(1, *SHAPE), torch.zeros(1, *SHAPE, dtype=torch.int32)
    pred[0, 0, 0] = 1
    counts[0, 1, 1] = 1
    uniform = torch.full((1, *SHAPE), -math.log(30), dtype=torch.float64)
    gain = information.information_gain_of_map(pred, counts, uniform).item()
    assert gain == pytest.approx(math.log2(2.2204e-16 * 30))
    assert information.log_likelihood(pred.log(), counts).item() == -math.inf


def test_wrong_input_is_refused() -> None:
    pred, counts = torch.rand(1, *SHAPE), torch.ones(1, *SHAPE, dtype=torch.int32)
    for score in (
        information.information_gain,
        information.information_gain_of_map,
        information.information_gain_mit,
    ):
        with pytest.raises(ValueError, match="baseline"):
            score(pred, counts, pred[:, :2])
    pred[0, 0, 0] = torch.nan
    for score in (information.information_gain_of_map, information.information_gain_mit):
        with pytest.raises(UserError, match="NaN or infinite"):
            score(pred, counts, torch.zeros(1, *SHAPE))
