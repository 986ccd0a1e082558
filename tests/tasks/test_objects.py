"""The salient-object task: its loss against a slow reference, what it measures and needs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from pipeline import tasks
from pipeline.config.schema import Phase
from pipeline.data.evaluation import Sample
from pipeline.errors import UserError
from pipeline.losses import iou_loss
from pipeline.metrics import objects
from pipeline.tasks.objects import SalientObjectTask, mask_of
from pipeline.tasks.task import Scores

TASK = tasks.get("salient_object")


def sample(seed: int = 0, size: tuple[int, int] = (24, 32)) -> Sample:
    generator = torch.Generator().manual_seed(seed)
    mask = torch.zeros(size)
    mask[6:18, 8 + seed : 20 + seed] = 1
    return Sample(f"image{seed}", torch.rand(3, 12, 16, generator=generator), None, mask)


def logits(seed: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).normal(-2, 1, (12, 16))
    found[3:9, 4:10] += 4
    return found.astype(np.float32)


def test_iou_is_equation_6_of_each_image() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 1, 4, 5, generator=generator)
    y = torch.rand(3, 1, 4, 5, generator=generator).round()
    for image, (a, b) in enumerate(zip(x, y, strict=True)):
        shown = [1 / (1 + math.exp(-v)) for v in a.flatten().tolist()]
        marked = b.flatten().tolist()
        both = sum(p * q for p, q in zip(shown, marked, strict=True))
        either = sum(p + q - p * q for p, q in zip(shown, marked, strict=True))
        assert iou_loss(x, y)[image].item() == pytest.approx(1 - both / either, rel=1e-5)


def test_a_perfect_mask_costs_nothing_and_an_empty_one_is_no_division_by_zero() -> None:
    mask = torch.zeros(2, 1, 4, 4)
    mask[0, 0, :2] = 1
    found = iou_loss(torch.where(mask > 0, 50.0, -50.0), mask)
    assert found[0].item() == pytest.approx(0, abs=1e-6)
    assert torch.isfinite(found).all()


class Constant(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(0.3))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.value.expand(len(images), 1, *images.shape[-2:])


def test_the_loss_is_the_sum_of_both_terms_of_each_source() -> None:
    phase = Phase(objective="objects", teacher_weight=0.5, truth_weight=1.0)
    truth = torch.zeros(2, 1, 4, 4)
    truth[:, :, :2] = 1
    batch = {
        "images": torch.zeros(2, 3, 4, 4), "truth": truth, "labels": truth * 0.5 + 0.2,
        "annotated": torch.tensor([1.0, 0.0]),
    }  # fmt: skip
    terms = TASK.objective(Constant(), phase)(batch)
    assert set(terms) == {"loss", "labels_bce", "labels_iou", "truth_bce", "truth_iou"}
    parts = sum(value for name, value in terms.items() if name != "loss")
    assert terms["loss"].item() == pytest.approx(parts.item())
    whole = iou_loss(torch.full((1, 1, 4, 4), 0.3), truth[:1]).item()
    assert terms["truth_iou"].item() == pytest.approx(whole / 2), "an image without a mask gives 0"


def test_scores_are_those_of_the_saved_map_at_the_masks_size() -> None:
    one = sample()
    shown = objects.levels(TASK.at_size(logits(), 24, 32)[0].double().numpy())
    mask = one.density.numpy() > 0.5
    found = TASK.score(logits(), one)
    assert set(found) == set(TASK.metrics)
    assert found["MAE"].item() == pytest.approx(objects.mae(shown / 255, mask))
    assert found["S"].item() == pytest.approx(objects.s_measure(objects.stretched(shown), mask))
    assert set(TASK.quick_score(logits(), one)) == {"S", "F", "MAE"}


def test_the_papers_f_runs_over_all_images() -> None:
    samples = [sample(seed) for seed in range(3)]
    maps = iter([logits(seed) for seed in range(3)])
    scores = TASK.evaluate(lambda _image: next(maps), samples)
    assert isinstance(scores, Scores)
    curves = [TASK.gather(logits(seed), sample(seed), quick=False) for seed in range(3)]
    expected = objects.f_of(objects.mean_curve(curves)).max()
    assert scores.means()["maxF"] == pytest.approx(expected)
    assert set(scores.values) == set(TASK.metrics), "of each image there is none"


def test_grey_edges_count_by_the_field_s_threshold() -> None:
    edge = Sample("a", torch.zeros(3, 2, 2), None, torch.tensor([[128.0, 129.0]]) / 255)
    assert mask_of(edge).tolist() == [[False, True]]


def test_an_image_without_a_mask_is_named() -> None:
    with pytest.raises(UserError, match="image7 has no mask"):
        mask_of(Sample("image7", torch.zeros(3, 2, 2), None, None))


def test_it_is_read_by_the_sigmoid_alone_and_needs_no_fixations() -> None:
    assert SalientObjectTask.readouts == ("sigmoid",)
    assert SalientObjectTask.needs == ("map",)


def test_the_authors_iou_is_of_the_whole_batch() -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(3, 1, 4, 5, generator=generator)
    y = torch.rand(3, 1, 4, 5, generator=generator).round()
    both = (x.sigmoid() * y).sum().item()
    either = (x.sigmoid() + y).sum().item() - both
    found = iou_loss(x, y, "batch")
    assert found.tolist() == pytest.approx([1 - (both + 1) / (either + 1)] * 3, rel=1e-5)
