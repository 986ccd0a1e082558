"""Eq. 1 and Eq. 2 against plain loops, and what adaptation layers are for."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from pipeline.config.schema import Phase
from pipeline.distil import (
    AdaptationLayers,
    SaliencyTerms,
    hint_objective,
    saliency_objective,
)
from pipeline.losses import hint_loss


def slow_hint_loss(student: list[torch.Tensor], teacher: list[torch.Tensor]) -> float:
    total = 0.0
    for s, t in zip(student, teacher):
        squares = [(a - b) ** 2 for a, b in zip(s.flatten().tolist(), t.flatten().tolist())]
        total += sum(squares) / len(squares)
    return total


def test_hint_loss_is_the_mean_per_layer_summed_over_layers() -> None:
    shapes = [(2, 3, 4, 5), (2, 7, 2, 3)]
    student, teacher = ([torch.randn(s) for s in shapes] for _ in range(2))
    assert hint_loss(student, teacher).item() == pytest.approx(
        slow_hint_loss(student, teacher), rel=1e-5
    )


def test_hint_loss_names_the_layer_that_does_not_fit() -> None:
    a, b = torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 2, 2)
    with pytest.raises(ValueError, match=r"hint layer 1: student \(1, 2, 4, 4\)"):
        hint_loss([a, a], [a, b])
    with pytest.raises(ValueError, match="1 student layers, but 2 teacher layers"):
        hint_loss([a], [a, b])


def cross_entropy(logit: float, target: float) -> float:
    p = 1 / (1 + math.exp(-logit))
    return -(target * math.log(p) + (1 - target) * math.log(1 - p))


class Fixed(nn.Module):
    """A student that always says the same."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(logits)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.logits


@pytest.mark.parametrize(("teacher_weight", "truth_weight"), [(1, 1), (1, 0), (0, 1), (0.3, 2)])
def test_eq_2_pixel_by_pixel_with_an_unlabelled_image(
    teacher_weight: float, truth_weight: float
) -> None:
    torch.manual_seed(0)
    logits, labels, truth = torch.randn(2, 1, 2, 3), torch.rand(2, 1, 2, 3), torch.rand(2, 1, 2, 3)
    annotated = [1.0, 0.0]
    batch = {
        "images": torch.zeros(2, 3, 2, 3),
        "labels": labels,
        "truth": truth,
        "annotated": torch.tensor(annotated),
    }
    per_image = []
    for i in range(2):
        y, t, g = (x[i].flatten().tolist() for x in (logits, labels, truth))
        of_teacher = sum(map(cross_entropy, y, t)) / 6
        of_people = sum(map(cross_entropy, y, g)) / 6
        per_image.append(teacher_weight * of_teacher + truth_weight * annotated[i] * of_people)
    terms = saliency_objective(Fixed(logits), SaliencyTerms(teacher_weight, truth_weight))(batch)
    assert terms["loss"].item() == pytest.approx(sum(per_image) / 2, rel=1e-5)
    expected = {"loss"} | ({"teacher"} if teacher_weight else set())
    assert terms.keys() == expected | ({"truth"} if truth_weight else set())


def test_terms_not_asked_for_need_no_targets() -> None:
    batch = {"images": torch.zeros(1, 3, 2, 3), "labels": torch.rand(1, 1, 2, 3)}
    terms = SaliencyTerms(1.0, 0.0)
    assert "truth" not in saliency_objective(Fixed(torch.zeros(1, 1, 2, 3)), terms)(batch)


class Pyramid(nn.Module):
    """Two levels of features."""

    def __init__(self, channels: tuple[int, int]) -> None:
        super().__init__()
        self.feature_channels = channels
        self.convs = nn.ModuleList(nn.Conv2d(3, c, 1, stride=2**i) for i, c in enumerate(channels))

    def features(self, images: torch.Tensor) -> list[torch.Tensor]:
        return [conv(images) for conv in self.convs]


def test_adaptation_layers_lift_the_student_and_never_touch_the_teacher() -> None:
    student, teacher = Pyramid((2, 3)), Pyramid((5, 4))
    adapt = AdaptationLayers(student.feature_channels, teacher.feature_channels)
    terms = hint_objective(student, adapt, teacher)({"images": torch.rand(2, 3, 8, 8)})
    terms["loss"].backward()
    assert all(p.grad is not None for p in [*student.parameters(), *adapt.parameters()])
    assert all(p.grad is None for p in teacher.parameters())
    assert {"layer0", "layer1"} <= terms.keys()


def test_unit_scale_makes_layers_of_any_size_count_alike() -> None:
    student, teacher = Pyramid((5, 4)), Pyramid((5, 4))
    adapt = AdaptationLayers((5, 4), (5, 4))
    batch = {"images": torch.rand(2, 3, 8, 8)}
    before = hint_objective(student, adapt, teacher, "unit")(batch)
    with torch.no_grad():
        for parameter in teacher.convs[0].parameters():
            parameter.mul_(1000)
    after = hint_objective(student, adapt, teacher, "unit")(batch)
    torch.testing.assert_close(after["loss"], before["loss"], rtol=1e-4, atol=1e-6)
    assert hint_objective(student, adapt, teacher)(batch)["loss"] > 1000 * after["loss"]


def test_a_student_at_the_teachers_widths_is_its_own_adaptation() -> None:
    assert list(AdaptationLayers((5, 4), (5, 4)).parameters()) == []


def test_different_numbers_of_levels_are_refused() -> None:
    with pytest.raises(ValueError, match="3 student levels cannot take 2 hints"):
        AdaptationLayers((1, 2, 3), (1, 2))


def test_eq_2_weights_default_to_the_papers() -> None:
    assert (Phase().teacher_weight, Phase().truth_weight) == (1.0, 1.0)
