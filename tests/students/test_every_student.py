"""What every registered student must do; a new student is tested here without a new line.

Those too large to be run in a test are built where tensors have no values, and asked for shapes.
"""

from __future__ import annotations

import functools
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

import students
from mobile.rewrites import forms
from pipeline.config.load import compose
from students import ModelSpec
from students.layers import nearest

NAMES = students.names()
LARGE = 30_000_000
"""Parameters of a student that is not run."""


@functools.cache
def overrides(name: str) -> dict[str, Any]:
    """As its configuration builds it for the sample, but no branch is ever left out at random."""
    found = dict(compose([f"student={name}"]).student.overrides)
    return found | ({"drop_path": 0.0} if "drop_path" in found else {})


def of_shapes(name: str) -> nn.Module:
    with torch.device("meta"):
        return students.build(name, **overrides(name))


@functools.cache
def is_large(name: str) -> bool:
    return sum(p.numel() for p in of_shapes(name).parameters()) > LARGE


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def student(name: str) -> nn.Module:
    """Without weights to start from; of a large one the shapes alone."""
    return of_shapes(name) if is_large(name) else students.build(name, **overrides(name))


@pytest.fixture
def running(name: str) -> nn.Module:
    """One that is run, with gradients."""
    if is_large(name):
        pytest.skip(f"{name} is too large to be run here; its family has a smaller one")
    torch.manual_seed(0)
    return students.build(name, **overrides(name))


def least(spec: ModelSpec) -> int:
    """Fewest pixels a side."""
    return nearest(0, spec.multiple_of, spec.least)


def small_images(spec: ModelSpec, batch: int = 2) -> Tensor:
    """Of sides that differ, about the smallest it takes."""
    generator = torch.Generator().manual_seed(0)
    side = max(2 * spec.multiple_of, least(spec))
    return torch.rand(batch, 3, side, side + spec.multiple_of, generator=generator) * 255


def images_for(student: nn.Module, spec: ModelSpec) -> Tensor:
    return small_images(spec).to(next(student.parameters()).device)


def test_output_has_the_size_of_the_input_or_of_one_pixel(name: str, student: nn.Module) -> None:
    spec = students.spec(name)
    images = images_for(student, spec)
    sides = (1, 1) if spec.task == "classification" else images.shape[-2:]
    size = (2, overrides(name).get("classes", 1), *sides)
    assert student.eval()(images).shape == size
    if hasattr(student, "outputs"):
        main, auxiliary = cast("Any", student).outputs(images)
        assert all(each.shape == size for each in (main, *auxiliary))


def normed_biases(student: nn.Module) -> set[str]:
    """Biases right before a batch norm, which subtracts them again."""
    found: set[str] = set()
    before: tuple[str, nn.Module] = ("", student)
    for path, module in student.named_modules():
        if isinstance(module, nn.BatchNorm2d) and isinstance(before[1], nn.Conv2d):
            found.add(f"{before[0]}.bias")
        before = (path, module)
    return found


def test_learns_in_every_parameter(name: str, running: nn.Module) -> None:
    images = small_images(students.spec(name))
    running.train()
    if hasattr(running, "outputs"):
        main, auxiliary = cast("Any", running).outputs(images)
        torch.stack([each.square().mean() for each in (main, *auxiliary)]).sum().backward()
    else:
        running(images).square().mean().backward()
    silent = {n for n, p in running.named_parameters() if p.grad is None or not p.grad.any()}
    assert silent <= normed_biases(running)


def test_features_go_from_fine_to_coarse_at_the_stated_widths(
    name: str, student: nn.Module
) -> None:
    if not hasattr(student, "features"):
        pytest.skip(f"{name} cannot be hinted: it has no features()")
    hinted = cast("Any", student.eval())
    features = hinted.features(images_for(student, students.spec(name)))
    assert tuple(f.shape[1] for f in features) == tuple(hinted.feature_channels)
    heights = [f.shape[2] for f in features]
    assert heights == sorted(heights, reverse=True)


def test_exports_to_a_static_graph_that_agrees(name: str, running: nn.Module) -> None:
    images = small_images(students.spec(name), batch=1)
    expected = running.eval()(images)
    for form in forms.of(running).values():
        exported = torch.export.export(form, (images,)).module()
        torch.testing.assert_close(exported(images), expected, atol=1e-4, rtol=1e-4)


def test_refuses_sizes_it_cannot_take(name: str, student: nn.Module) -> None:
    spec = students.spec(name)
    device = next(student.parameters()).device
    sizes = {(least(spec) + 1, least(spec)): f"multiples of {spec.multiple_of}.*nearest"}
    if least(spec) > spec.multiple_of:
        sizes[spec.multiple_of, least(spec)] = f"of at least {spec.least}.*nearest"
    for size, match in sizes.items():
        with pytest.raises(ValueError, match=match):
            student(torch.zeros(1, 3, *size, device=device))


def test_same_seed_same_weights(name: str, running: nn.Module) -> None:
    torch.manual_seed(0)
    other = students.build(name, **overrides(name)).state_dict()
    assert all(torch.equal(value, other[key]) for key, value in running.state_dict().items())


def test_normalisation_is_part_of_the_graph_not_of_the_checkpoint(student: nn.Module) -> None:
    assert not any("normalise" in key for key in student.state_dict())


def test_unknown_name_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'fastsal_a'"):
        students.build("fastsal-a")
