from __future__ import annotations

import numpy as np
import pytest

from pipeline.metrics import bootstrap
from pipeline.metrics.bootstrap import median_interval, paired_difference

NOISE = np.random.default_rng(3).normal(size=400)


def test_interval_of_a_mean_is_the_textbook_one() -> None:
    interval = paired_difference(NOISE + 5, np.full(400, 5.0))
    half = 1.96 * NOISE.std() / np.sqrt(400)
    assert interval.mean == pytest.approx(NOISE.mean())
    assert interval.low == pytest.approx(NOISE.mean() - half, abs=0.02)
    assert interval.high == pytest.approx(NOISE.mean() + half, abs=0.02)
    assert not interval.excludes_zero


def test_pairing_takes_out_how_hard_images_are() -> None:
    hard = 100 * NOISE
    interval = paired_difference(hard + 0.1 + 0.01 * NOISE[::-1], hard)
    assert interval.excludes_zero
    assert 0.09 < interval.low < 0.1 < interval.high < 0.11
    assert paired_difference(hard, hard + 0.1).excludes_zero


def test_coverage_is_near_95_percent() -> None:
    generator = np.random.default_rng(0)
    draws = [generator.normal(loc=1, size=60) for _ in range(300)]
    intervals = [paired_difference(draw, np.zeros(60), samples=400) for draw in draws]
    covered = sum(interval.low <= 1 <= interval.high for interval in intervals)
    assert 0.90 <= covered / 300 <= 0.98


def test_the_seed_decides() -> None:
    first = paired_difference(NOISE, NOISE[::-1], seed=1)
    assert first == paired_difference(NOISE, NOISE[::-1], seed=1)
    assert first != paired_difference(NOISE, NOISE[::-1], seed=2)


def test_undefined_images_are_left_out_in_pairs() -> None:
    a, b = [1.0, np.nan, 3.0, 4.0], [0.0, 0.0, np.nan, 3.0]
    assert paired_difference(a, b) == bootstrap.Interval(1, 1, 1)
    with pytest.raises(ValueError, match="no image"):
        paired_difference([np.nan], [1.0])


def test_unequal_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="same images"):
        paired_difference([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="shape"):
        paired_difference([[1.0]], [[1.0]])
    with pytest.raises(ValueError, match="samples=0"):
        paired_difference([1.0], [2.0], samples=0)


def test_median_interval_ignores_a_straggler() -> None:
    times = [10.0 + 0.01 * step for step in range(100)] + [500.0]
    interval = median_interval(times)
    assert interval.median == pytest.approx(10.5)
    assert 10.3 < interval.low < interval.median < interval.high < 10.7
    assert interval == median_interval(times, seed=0)


@pytest.mark.parametrize("values", [[], [1.0, np.nan]])
def test_median_of_nothing_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one value"):
        median_interval(values)


def test_much_data_is_resampled_in_bounded_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = paired_difference(NOISE, NOISE[::-1], samples=500)
    monkeypatch.setattr(bootstrap, "_CHUNK", 1000)
    chunked = paired_difference(NOISE, NOISE[::-1], samples=500)
    assert chunked.low == pytest.approx(whole.low, abs=0.02)
    assert chunked.high == pytest.approx(whole.high, abs=0.02)
