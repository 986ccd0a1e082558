"""Salient-object metrics against PySODMetrics, and SalMetric's F against a slow reference."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.metrics import objects

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    oracle = pytest.importorskip("py_sod_metrics")


def scene(seed: int, share: float = 0.3, size: tuple[int, int] = (37, 53)):
    """A blurred map around a blob, and the blob."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    middle = generator.uniform(0.2, 0.8, 2) * size
    distance = np.hypot(y - middle[0], x - middle[1])
    mask = distance < share * min(size)
    noise = generator.normal(0, 0.2, size)
    shown = 1 / (1 + np.exp((distance - share * min(size)) / 3 + noise * 6))
    return objects.levels(shown), mask


SCENES = [scene(seed, share) for seed in range(4) for share in (0.05, 0.3, 0.6)]
EDGES = [
    (np.full((20, 30), 7, np.uint8), scene(1, size=(20, 30))[1]),
    (scene(2, size=(20, 30))[0], np.zeros((20, 30), bool)),
    (scene(3, size=(20, 30))[0], np.ones((20, 30), bool)),
    (np.zeros((20, 30), np.uint8), np.zeros((20, 30), bool)),
]


def stepped(kind, saved, mask):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        measure = kind()
        measure.step(saved, mask.astype(np.uint8) * 255)
        return measure.get_results()


@pytest.mark.parametrize(("saved", "mask"), SCENES + EDGES)
def test_each_is_pysodmetrics(saved, mask) -> None:
    shown = objects.stretched(saved)
    expected = {
        "mae": stepped(oracle.MAE, saved, mask)["mae"],
        "s": stepped(oracle.Smeasure, saved, mask)["sm"],
        "e": stepped(oracle.Emeasure, saved, mask)["em"]["adp"],
        "wf": stepped(oracle.WeightedFmeasure, saved, mask)["wfm"],
        "f": stepped(oracle.Fmeasure, saved, mask)["fm"]["adp"],
    }
    found = {
        "mae": objects.mae(shown, mask),
        "s": objects.s_measure(shown, mask),
        "e": objects.adaptive_e(shown, mask),
        "wf": objects.weighted_f(shown, mask),
        "f": objects.adaptive_f(shown, mask),
    }
    assert found == pytest.approx(expected, abs=1e-9)


def slow_curve(saved, mask):
    precision, recall = [], []
    for level in range(256):
        predicted = saved > level
        hits = np.logical_and(predicted, mask).sum()
        precision.append((hits + 1e-4) / (predicted.sum() + 1e-4))
        recall.append((hits + 1e-4) / (mask.sum() + 1e-4))
    return np.array(precision), np.array(recall)


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.floats(0.02, 0.7))
def test_curves_are_those_of_a_loop_over_levels(seed: int, share: float) -> None:
    saved, mask = scene(seed, share)
    found = objects.curve(saved, mask)
    precision, recall = slow_curve(saved, mask)
    np.testing.assert_allclose(found.precision, precision, rtol=1e-12)
    np.testing.assert_allclose(found.recall, recall, rtol=1e-12)


def test_the_papers_f_is_the_best_of_the_mean_curve() -> None:
    curves = [slow_curve(*each) for each in SCENES]
    precision = np.mean([c[0] for c in curves], axis=0)
    recall = np.mean([c[1] for c in curves], axis=0)
    expected = max(1.3 * p * r / (0.3 * p + r) for p, r in zip(precision, recall, strict=True))
    mean = objects.mean_curve(objects.curve(*each) for each in SCENES)
    assert objects.f_of(mean).max() == pytest.approx(expected, rel=1e-12)


def test_levels_are_cut_off_as_when_a_map_is_saved() -> None:
    shown = np.array([-0.1, 0.0, 0.9999, 1.0, 1.2])
    assert objects.levels(shown).tolist() == [0, 0, 254, 255, 255]
