"""Metrics of classifiers against slow references, scikit-learn and torchmetrics."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn
from torch import Tensor
from torchmetrics.functional.classification import multiclass_accuracy

from pipeline.metrics import classification as metrics

SEED = st.integers(0, 100_000)


def drawn(seed: int, images: int = 40, classes: int = 7, levels: int = 5) -> tuple[Tensor, Tensor]:
    """Logits of few levels, so that many are equal, and classes of which one has no image."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randint(levels, (images, classes), generator=generator).float()
    return logits, torch.randint(classes - 1, (images,), generator=generator)


def slow_rank(row: list[float], target: int) -> int:
    """Place of `target` when classes are sorted by falling logits, equal ones as listed."""
    return sorted(range(len(row)), key=lambda index: -row[index]).index(target)


@given(SEED)
@settings(max_examples=30)
def test_ranks_are_places_in_a_stable_order(seed: int) -> None:
    logits, target = drawn(seed)
    slow = [slow_rank(row, int(t)) for row, t in zip(logits.tolist(), target, strict=True)]
    assert metrics.ranks(logits, target).tolist() == slow
    assert metrics.top(logits, target, 3).tolist() == [float(rank < 3) for rank in slow]


@given(SEED)
@settings(max_examples=20)
def test_without_equal_logits_they_are_torchmetrics(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(40, 7, generator=generator)
    target = torch.randint(6, (40,), generator=generator)
    for most in (1, 5):
        theirs = multiclass_accuracy(logits, target, 7, average="micro", top_k=most)
        assert metrics.top(logits, target, most).mean().item() == pytest.approx(theirs.item())
    theirs = multiclass_accuracy(logits, target, 7, average="none")
    own = metrics.class_accuracy(
        metrics.confusion(target.tolist(), logits.argmax(1).tolist(), logits.shape[1])
    )
    there = np.bincount(target, minlength=7) > 0
    assert own[there] == pytest.approx(theirs.numpy()[there])
    assert np.isnan(own[~there]).all()


@given(SEED)
@settings(max_examples=20)
def test_class_accuracy_is_scikit_learns_balanced_one(seed: int) -> None:
    logits, target = drawn(seed)
    found = metrics.confusion(target.tolist(), logits.argmax(1).tolist(), logits.shape[1])
    said = logits.argmax(1)
    assert (found == sklearn.confusion_matrix(target, said, labels=range(7))).all()
    theirs = sklearn.recall_score(target, said, labels=np.unique(target), average="macro")
    assert metrics.mean_class_accuracy(found) == pytest.approx(theirs)


def test_cross_entropy_is_torchs_in_nats_and_bears_large_logits() -> None:
    logits, target = drawn(3)
    expected = F.cross_entropy(logits.double(), target, reduction="none")
    torch.testing.assert_close(metrics.cross_entropy(logits, target), expected)
    flat = metrics.cross_entropy(torch.zeros(1, 8), torch.tensor([3]))
    assert flat.item() == pytest.approx(math.log(8))
    far = metrics.cross_entropy(torch.tensor([[3000.0, 0.0]]), torch.tensor([1]))
    assert far.item() == 3000


def test_the_first_of_equal_classes_counts() -> None:
    logits = torch.zeros(3, 6)
    assert metrics.ranks(logits, torch.tensor([0, 2, 5])).tolist() == [0, 2, 5]


def test_no_more_classes_than_five_are_all_among_the_likeliest() -> None:
    assert metrics.top(torch.tensor([[0.0, 1.0, 2.0]]), torch.tensor([0]), 5).tolist() == [1.0]


def test_mistakes_are_told_by_how_often_they_happen() -> None:
    found = np.array([[9, 1, 0], [3, 5, 1], [0, 0, 7]])
    assert metrics.mistakes(found, 2) == [(1, 0, 3), (0, 1, 1)]
    assert metrics.mistakes(found, 20) == [(1, 0, 3), (0, 1, 1), (1, 2, 1)]
    assert metrics.mistakes(np.eye(3, dtype=np.int64), 20) == []


def test_no_image_at_all_has_no_accuracy() -> None:
    assert math.isnan(metrics.mean_class_accuracy(np.zeros((3, 3), np.int64)))


@pytest.mark.parametrize(
    ("logits", "target", "match"),
    [
        (torch.zeros(2, 3), torch.tensor([0]), "logits .2, 3. and targets .1,."),
        (torch.zeros(1, 3, 1, 1), torch.tensor([0]), "logits"),
        (torch.zeros(2, 3), torch.tensor([0, 3]), "targets 0 to 3 of 3 classes"),
        (torch.zeros(2, 3), torch.tensor([-1, 2]), "targets -1 to 2"),
    ],
)
def test_what_does_not_fit_is_refused(logits: Tensor, target: Tensor, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        metrics.ranks(logits, target)
