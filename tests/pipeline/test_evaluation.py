"""The task measures what it says, at the image's own resolution."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pipeline.data.evaluation import Sample
from pipeline.data.resize import resize
from pipeline.errors import UserError
from pipeline.tasks.saliency import SaliencyTask

TASK = SaliencyTask()


def sample(height: int = 48, width: int = 64) -> Sample:
    generator = np.random.default_rng(0)
    density = resize(generator.random((6, 8)).astype(np.float32), height, width)
    counts = np.zeros((height, width), np.int32)
    rows, columns = generator.integers(0, height, 20), generator.integers(0, width, 20)
    np.add.at(counts, (rows, columns), 1)
    return Sample(
        "one", torch.zeros(3, 16, 32), torch.from_numpy(counts), torch.from_numpy(density)
    )


def logits_of(probability: np.ndarray) -> np.ndarray:
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.log(clipped / (1 - clipped)).astype(np.float32)


def test_cc_and_nss_by_their_definitions() -> None:
    one = sample()
    logits = np.random.default_rng(1).normal(size=(16, 32)).astype(np.float32)
    shown = resize(1 / (1 + np.exp(-logits)), 48, 64).astype(np.float64)
    z = (shown - shown.mean()) / shown.std()
    density = one.density.numpy().astype(np.float64)
    found = TASK.score(logits, one)
    assert found["CC"].item() == pytest.approx(np.corrcoef(z.ravel(), density.ravel())[0, 1])
    counts = one.counts.numpy()
    # NSS by the unbiased deviation of pysaliency would differ in the fifth digit.
    assert found["NSS"].item() == pytest.approx((z * counts).sum() / counts.sum(), rel=1e-3)


def test_the_human_map_itself_scores_best() -> None:
    one = sample()
    perfect = TASK.score(logits_of(one.density.numpy()), one)
    assert perfect["CC"].item() == pytest.approx(1, abs=1e-5)
    assert perfect["SIM"].item() == pytest.approx(1, abs=1e-3)
    assert perfect["KLDiv"].item() == pytest.approx(0, abs=1e-3)
    flat = TASK.score(np.zeros((16, 32), np.float32), one)
    assert flat["AUC-Judd"].item() == pytest.approx(0.5)
    assert perfect["AUC-Judd"] > flat["AUC-Judd"] - 0.2


def test_scores_keep_ids_in_order_and_means_leave_out_what_is_undefined() -> None:
    blank = sample()
    empty = Sample("none", blank.image, torch.zeros_like(blank.counts), blank.density)
    scores = TASK.evaluate(
        lambda _: np.arange(512, dtype=np.float32).reshape(16, 32), [blank, empty]
    )
    assert scores.ids == ("one", "none")
    assert torch.isnan(scores.values["NSS"][1])
    assert scores.means()["NSS"] == pytest.approx(scores.values["NSS"][0].item())


def test_quick_scores_are_the_full_ones() -> None:
    one, logits = sample(), np.random.default_rng(2).normal(size=(16, 32)).astype(np.float32)
    quick, full = TASK.quick_score(logits, one), TASK.score(logits, one)
    assert quick == {name: full[name] for name in quick}


def test_an_image_without_annotations_is_named() -> None:
    with pytest.raises(UserError, match="validation image x has no fixations"):
        TASK.score(np.zeros((4, 4), np.float32), Sample("x", torch.zeros(3, 4, 4), None, None))
