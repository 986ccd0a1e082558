"""What every registered student must do; a new student is tested here without a new line."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch
from torch import nn

import students
from mobile.rewrites import forms
from pipeline.config.load import compose
from students import ModelSpec

NAMES = students.names()


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def student(name: str) -> nn.Module:
    """As its configuration builds it for the sample, without weights to start from."""
    settings = compose([f"student={name}"]).student
    return students.build(name, **settings.overrides)


def small_images(spec: ModelSpec, batch: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    side = spec.multiple_of
    return torch.rand(batch, 3, 2 * side, 3 * side, generator=generator) * 255


def test_output_has_the_size_of_the_input(name: str, student: nn.Module) -> None:
    images = small_images(students.spec(name))
    logits = student.eval()(images)
    assert logits.shape == (2, 1, *images.shape[-2:])


def test_learns_in_every_parameter(name: str, student: nn.Module) -> None:
    student.train()(small_images(students.spec(name))).square().mean().backward()
    silent = [n for n, p in student.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []


def test_features_go_from_fine_to_coarse_at_the_stated_widths(
    name: str, student: nn.Module
) -> None:
    if not hasattr(student, "features"):
        pytest.skip(f"{name} cannot be hinted: it has no features()")
    hinted = cast("Any", student.eval())
    features = hinted.features(small_images(students.spec(name)))
    assert tuple(f.shape[1] for f in features) == tuple(hinted.feature_channels)
    heights = [f.shape[2] for f in features]
    assert heights == sorted(heights, reverse=True)


def test_exports_to_a_static_graph_that_agrees(name: str, student: nn.Module) -> None:
    images = small_images(students.spec(name), batch=1)
    student.eval()
    expected = student(images)
    for form in forms.of(student).values():
        exported = torch.export.export(form, (images,)).module()
        torch.testing.assert_close(exported(images), expected, atol=1e-4, rtol=1e-4)


def test_refuses_sizes_it_cannot_take(name: str) -> None:
    spec = students.spec(name)
    with pytest.raises(ValueError, match=f"multiples of {spec.multiple_of}.*nearest"):
        students.build(name)(torch.zeros(1, 3, spec.multiple_of + 1, spec.multiple_of))


def test_same_seed_same_weights(name: str) -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        states.append(students.build(name).state_dict())
    assert all(torch.equal(states[0][k], states[1][k]) for k in states[0])


def test_normalisation_is_part_of_the_graph_not_of_the_checkpoint(name: str) -> None:
    assert not any("normalise" in key for key in students.build(name).state_dict())


def test_unknown_name_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'fastsal_a'"):
        students.build("fastsal-a")
