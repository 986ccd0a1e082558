"""The centre bias is pysaliency's, and its bandwidth is the one that predicts images left out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from pipeline.metrics.centre_bias import Fit, centre_bias, fit, uniform_for
from pipeline.metrics.points import Points
from tests.metrics.maps import real_like
from tests.metrics.oracle import baseline_utils, fixations_of, stimuli_of

SIZES = [(60, 80), (60, 80), (33, 47), (90, 50), (8, 9)]
COUNTS = [real_like(seed, *size)[1] for seed, size in enumerate(SIZES)]
PUBLISHED = 2e-13


@pytest.mark.parametrize(("bandwidth", "uniform"), [(0.0217, PUBLISHED), (0.1, 1e-3), (0.3, 0.9)])
@pytest.mark.parametrize("image", range(len(SIZES)))
def test_equals_pysaliency(image: int, bandwidth: float, uniform: float) -> None:
    stimuli, fixations = stimuli_of(SIZES), fixations_of(COUNTS)
    oracle = baseline_utils.BaselineModel(stimuli, fixations, bandwidth=bandwidth, eps=uniform)
    ours = centre_bias(COUNTS, *SIZES[image], bandwidth=bandwidth, uniform=uniform)
    assert ours.dtype == torch.float64
    np.testing.assert_allclose(ours, oracle.log_density(stimuli[image]), rtol=0, atol=1e-10)
    assert ours.exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_equals_pysaliencys_gold_standard_of_one_image() -> None:
    stimuli, fixations = stimuli_of(SIZES), fixations_of(COUNTS)
    oracle = baseline_utils.GoldModel(stimuli, fixations, bandwidth=0.05, eps=1e-9)
    ours = centre_bias([COUNTS[0]], *SIZES[0], bandwidth=0.05, uniform=1e-9)
    np.testing.assert_allclose(ours, oracle.log_density(stimuli[0]), rtol=0, atol=1e-10)


def test_close_to_the_kernels_themselves_away_from_borders() -> None:
    """Against the sum of Gaussians at the fixations, without a pixel grid."""
    counts = np.zeros((64, 96), np.int32)
    points = [(30, 40), (30, 40), (33, 60)]
    for row, column in points:
        counts[row, column] += 1
    rows, columns = np.mgrid[:64, :96]
    down, across = 0.06 * 64, 0.06 * 96
    kernels = [
        np.exp(-(((rows - y) / down) ** 2) / 2 - ((columns - x) / across) ** 2 / 2)
        for y, x in points
    ]
    density = np.sum(kernels, axis=0)
    ours = centre_bias([counts], 64, 96, bandwidth=0.06, uniform=1e-15).exp().numpy()
    # The Gaussian ends at four standard deviations, where it holds 1e-4 of its mass.
    np.testing.assert_allclose(ours, density / density.sum(), rtol=0, atol=2e-6)  # 4e-4 of the peak


def test_sequences_stacks_points_and_generators_are_one() -> None:
    same = [real_like(seed, 20, 30)[1] for seed in range(3)]
    expected = centre_bias(same, 40, 30)
    stack = torch.from_numpy(np.stack(same))
    for given in (stack, map(Points.from_counts, same), (c.astype(np.int32) for c in same)):
        assert torch.equal(centre_bias(given, 40, 30), expected)


def test_without_fixations_it_is_uniform() -> None:
    for counts in ([], [np.zeros((5, 6), np.int32)]):
        log = centre_bias(counts, 5, 6)
        np.testing.assert_allclose(log, -math.log(30), rtol=1e-12)


def test_uniform_takes_the_share_asked_for() -> None:
    uniform = uniform_for(0.25, fixations=7)
    counts = np.zeros((50, 60), np.int32)
    counts[5, 5] = 7
    log = centre_bias([counts], 50, 60, bandwidth=0.02, uniform=uniform)
    assert math.exp(log[40, 40]) == pytest.approx(0.25 / 3000)  # beyond the kernels' reach


def slow_fit(images: list[np.ndarray], bandwidth: float, weight: float) -> float:
    """Each image under `centre_bias` of the others, fixation by fixation."""
    bits, fixations = 0.0, 0
    for left_out, image in enumerate(images):
        others = [other for number, other in enumerate(images) if number != left_out]
        uniform = uniform_for(weight, sum(int(other.sum()) for other in others))
        log = centre_bias(others, 96, 128, bandwidth=bandwidth, uniform=uniform)
        for row, column in zip(*np.nonzero(Points.from_counts(image).counts(96, 128))):
            count = Points.from_counts(image).counts(96, 128)[row, column]
            bits += count * (log[row, column].item() / math.log(2) + math.log2(96 * 128))
            fixations += count
    return bits / fixations


def test_fit_predicts_images_left_out_best() -> None:
    images = [real_like(seed, 48, 64)[1] for seed in range(4)] + [np.zeros((7, 5), np.int64)]
    bandwidths, weights = (0.02, 0.08), (1e-4, 0.1)
    table = {(b, w): slow_fit(images[:4], b, w) for b in bandwidths for w in weights}
    best = max(table, key=lambda key: table[key])
    found = fit(images, bandwidths=bandwidths, weights=weights)
    total = sum(int(image.sum()) for image in images)
    assert found == Fit(best[0], uniform_for(best[1], total), pytest.approx(table[best], abs=1e-9))
    assert len({round(value, 6) for value in table.values()}) == 4, "a tie would prove nothing"


def test_what_cannot_be_estimated_is_refused() -> None:
    with pytest.raises(ValueError, match="leaving one out needs two"):
        fit([COUNTS[0], np.zeros((4, 4), np.int32)])
    for wrong in ({"bandwidth": 0.0}, {"bandwidth": 20.0}, {"uniform": 0.0}, {"uniform": 1.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            centre_bias(COUNTS, 5, 5, **wrong)
    with pytest.raises(ValueError, match="has no pixels"):
        centre_bias(COUNTS, 0, 5)
    for counts in (np.full((3, 3), 0.5), np.full((3, 3), -1)):
        with pytest.raises(ValueError, match="whole numbers"):
            centre_bias([counts], 5, 5)
    with pytest.raises(ValueError, match=r"\(H, W\)"):
        centre_bias([np.zeros(4, np.int32)], 5, 5)
