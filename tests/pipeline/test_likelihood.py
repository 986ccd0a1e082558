"""The likelihood phase: equations by loops, folds that never see what they hold out."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch
from torch import Tensor

from pipeline.data.dataset import id_hash
from pipeline.likelihood import fold_of, likelihood_objective
from tests.teachers.test_deepgaze2 import tiny

FOLDS = 3


def batch(images: int) -> dict[str, object]:
    torch.manual_seed(1)
    counts = torch.randint(0, 3, (images, 1, 192, 256)) * (torch.rand(images, 1, 192, 256) < 1e-3)
    return {
        "hash": torch.tensor([id_hash(f"image{i}") for i in range(images)]),
        "images": torch.rand(images, 3, 384, 512) * 255,
        "fixations": counts.float(),
    }


def slow_nll(log_density: Tensor, counts: Tensor) -> float:
    """Mean over fixations, one after another."""
    total = number = 0.0
    for y, x in counts.nonzero().tolist():
        repeats = counts[y, x].item()
        total -= repeats * log_density[y, x].item()
        number += repeats
    return total / number


def test_loss_and_gains_by_loops() -> None:
    teacher = tiny(FOLDS).train()
    given = batch(4)
    counts = given["fixations"]
    assert isinstance(counts, Tensor)
    counts[3] = 0  # nobody looked: it weighs nothing
    terms = likelihood_objective(teacher)(given)
    density = teacher.fold_log_densities(given["images"])  # type: ignore[arg-type]
    seen, gains, held = [], [], []
    for i in range(3):
        for fold in range(FOLDS):
            nll = slow_nll(density[i, fold], counts[i, 0])
            gain = (slow_nll(teacher.centre_bias[fold, 0], counts[i, 0]) - nll) / math.log(2)
            if fold_of(f"image{i}", FOLDS) == fold:
                held.append(gain)
            else:
                seen.append(nll)
                gains.append(gain)
    assert len(held) == 3
    assert terms["loss"].item() == pytest.approx(sum(seen) / len(seen), rel=1e-5)
    assert terms["gain"].item() == pytest.approx(sum(gains) / len(gains), rel=1e-4)
    assert terms["held_out_gain"].item() == pytest.approx(sum(held) / len(held), rel=1e-4)


def test_a_fold_learns_nothing_from_the_images_it_holds_out() -> None:
    teacher = tiny(FOLDS).train()
    given = batch(1)
    likelihood_objective(teacher)(given)["loss"].backward()
    own = fold_of("image0", FOLDS)
    for fold, readout in enumerate(teacher.readouts):
        learned = any(p.grad is not None and p.grad.abs().sum() > 0 for p in readout.parameters())
        assert learned == (fold != own)


def test_one_fold_holds_nothing_out() -> None:
    teacher = tiny(1).train()
    terms = likelihood_objective(teacher)(batch(2))
    assert terms["loss"].item() > 0
    assert terms["held_out_gain"].item() == 0


def test_folds_are_even_and_follow_from_the_id_alone() -> None:
    folds = Counter(fold_of(f"COCO_train2014_{i:012d}", 10) for i in range(5000))
    assert set(folds) == set(range(10))
    assert max(folds.values()) < 1.2 * min(folds.values())
    assert fold_of("COCO_train2014_000000000009", 10) == fold_of("COCO_train2014_000000000009", 10)
