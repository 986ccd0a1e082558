"""Metrics of segmentation against a loop over pixels, and against torchmetrics."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.classes import VOID
from pipeline.metrics import segmentation

CLASSES = 4
SEED = st.integers(0, 100_000)
few = settings(max_examples=40)


def scene(seed: int, used: int = CLASSES, void: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Predicted classes and a truth that they resemble, of `used` classes; some of it void."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, used, (5, 7)).astype(np.uint8)
    wrong = generator.integers(0, used, truth.shape)
    predicted = np.where(generator.random(truth.shape) < 0.6, truth, wrong)
    truth[generator.random(truth.shape) < void] = VOID
    return predicted.astype(np.int64), truth


def pixels(predicted: np.ndarray, truth: np.ndarray) -> list[tuple[int, int]]:
    pairs = zip(predicted.flatten().tolist(), truth.flatten().tolist(), strict=True)
    return [(said, is_) for said, is_ in pairs if is_ != VOID]


def slow_iou(predicted: np.ndarray, truth: np.ndarray) -> list[float]:
    found = []
    for index in range(CLASSES):
        said = {n for n, pair in enumerate(pixels(predicted, truth)) if pair[0] == index}
        marked = {n for n, pair in enumerate(pixels(predicted, truth)) if pair[1] == index}
        found.append(len(said & marked) / len(said | marked) if said | marked else math.nan)
    return found


@few
@given(SEED, st.integers(1, CLASSES), st.floats(0, 1))
def test_all_are_what_a_loop_over_pixels_finds(seed: int, used: int, void: float) -> None:
    predicted, truth = scene(seed, used, void)
    counts = segmentation.confusion(predicted, truth, CLASSES)
    expected = [[0] * CLASSES for _ in range(CLASSES)]
    for said, marked in pixels(predicted, truth):
        expected[marked][said] += 1
    assert counts.dtype == np.int64
    assert counts.tolist() == expected
    each = slow_iou(predicted, truth)
    np.testing.assert_allclose(segmentation.iou(counts), each, rtol=1e-12)
    defined = [value for value in each if not math.isnan(value)]
    mean = sum(defined) / len(defined) if defined else math.nan
    assert segmentation.mean_iou(counts) == pytest.approx(mean, nan_ok=True)
    right = [said == marked for said, marked in pixels(predicted, truth)]
    share = sum(right) / len(right) if right else math.nan
    assert segmentation.accuracy(counts) == pytest.approx(share, nan_ok=True)


@pytest.mark.parametrize("seed", range(5))
def test_they_are_torchmetrics(seed: int) -> None:
    oracle = pytest.importorskip("torchmetrics.functional.classification")
    predicted, truth = scene(seed, used=3)
    counts = segmentation.confusion(predicted, truth, CLASSES)
    said, marked = torch.from_numpy(predicted), torch.from_numpy(truth).long()
    matrix = oracle.multiclass_confusion_matrix(said, marked, CLASSES, ignore_index=VOID)
    np.testing.assert_array_equal(counts, matrix)
    each = oracle.multiclass_jaccard_index(said, marked, CLASSES, "none", ignore_index=VOID)
    found = segmentation.iou(counts)
    np.testing.assert_allclose(found[:3], each[:3], rtol=1e-6)
    assert np.isnan(found[3]), "torchmetrics calls a class that is nowhere 0"
    share = oracle.multiclass_accuracy(said, marked, CLASSES, "micro", ignore_index=VOID)
    assert segmentation.accuracy(counts) == pytest.approx(share.item(), rel=1e-6)


@few
@given(SEED, st.permutations(range(CLASSES)))
def test_other_numbers_for_classes_permute_their_ious(seed: int, order: list[int]) -> None:
    predicted, truth = scene(seed, used=3)
    table = np.array([*order, *range(CLASSES, VOID + 1)])
    before = segmentation.confusion(predicted, truth, CLASSES)
    after = segmentation.confusion(table[predicted], table[truth].astype(np.uint8), CLASSES)
    np.testing.assert_array_equal(segmentation.iou(after)[order], segmentation.iou(before))
    assert segmentation.mean_iou(after) == pytest.approx(segmentation.mean_iou(before))
    assert segmentation.accuracy(after) == segmentation.accuracy(before)


@few
@given(SEED)
def test_what_is_said_of_void_pixels_changes_nothing(seed: int) -> None:
    predicted, truth = scene(seed, void=0.4)
    other = np.where(truth == VOID, (predicted + 1) % CLASSES, predicted)
    before = segmentation.confusion(predicted, truth, CLASSES)
    np.testing.assert_array_equal(segmentation.confusion(other, truth, CLASSES), before)


@few
@given(st.lists(SEED, min_size=1, max_size=4))
def test_images_add_up(seeds: list[int]) -> None:
    scenes = [scene(seed) for seed in seeds]
    apart = sum(segmentation.confusion(*each, CLASSES) for each in scenes)
    together = [np.concatenate(parts) for parts in zip(*scenes, strict=True)]
    np.testing.assert_array_equal(apart, segmentation.confusion(*together, CLASSES))


def test_a_perfect_map_scores_1_and_absent_classes_do_not_count() -> None:
    truth = np.array([[0, 2], [2, VOID]], np.uint8)
    counts = segmentation.confusion(np.array([[0, 2], [2, 3]]), truth, CLASSES)
    np.testing.assert_array_equal(segmentation.iou(counts), [1, np.nan, 1, np.nan])
    assert (segmentation.mean_iou(counts), segmentation.accuracy(counts)) == (1, 1)


def test_a_class_that_is_only_predicted_counts_as_0() -> None:
    counts = segmentation.confusion(np.array([[0, 1]]), np.array([[0, 0]], np.uint8), CLASSES)
    np.testing.assert_array_equal(segmentation.iou(counts), [0.5, 0, np.nan, np.nan])
    assert segmentation.mean_iou(counts) == 0.25


def test_of_void_alone_nothing_is_known() -> None:
    counts = segmentation.confusion(np.zeros((2, 2), int), np.full((2, 2), VOID, np.uint8), 3)
    assert not counts.any()
    assert np.isnan([segmentation.mean_iou(counts), segmentation.accuracy(counts)]).all()


@pytest.mark.parametrize(
    ("predicted", "truth", "match"),
    [
        ([[0, 1]], [[0], [1]], r"predicted \(1, 2\), but truth \(2, 1\)"),
        ([[0, 3]], [[0, 1]], "predicted classes 0 to 3 of 3"),
        ([[-1, 1]], [[0, 1]], "predicted classes -1 to 1 of 3"),
        ([[0, 1]], [[0, 3]], "truth has class 3 of 3"),
        ([[0, 1]], [[7, VOID]], "truth has class 7 of 3"),
    ],
)
def test_what_does_not_fit_is_refused(
    predicted: list[list[int]], truth: list[list[int]], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        segmentation.confusion(np.array(predicted), np.array(truth, np.uint8), 3)
