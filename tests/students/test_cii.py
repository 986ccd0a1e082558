"""CII: exact sizes and costs, Eq. 2 and 3 against a slow reference, what sharing means."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

import students
from students import interactors
from students.interactors import Calibration, Residual, highest

# Parameters by the ledger of the authors' code; the interactor's share is all that differs.
COUNTS = {
    "none": 11_629_569,
    "apart2": 11_999_489,
    "shared2": 11_703_553,
    "shared4": 11_777_537,
    "rgc": 11_851_521,
    "rgc_dagger": 11_888_513,
}


def parameters(model: torch.nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(("name", "count"), [("cii_r18", 11_888_513), ("cii_r50", 24_482_561)])
def test_parameters_are_the_papers(name: str, count: int) -> None:
    assert parameters(students.build(name)) == count


@pytest.mark.parametrize(("interactor", "count"), COUNTS.items())
def test_an_interactor_costs_what_its_layers_are(interactor: str, count: int) -> None:
    assert parameters(students.build("cii_r18", interactor=interactor)) == count


@pytest.mark.parametrize(
    ("name", "side", "giga"),
    [("cii_r18", 224, 6.424), ("cii_r18", 352, 15.86), ("cii_r50", 224, 8.774)],
)
def test_multiply_accumulates_are_the_papers(name: str, side: int, giga: float) -> None:
    student = students.build(name).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        student(torch.zeros(1, 3, side, side))
    assert counter.get_total_flops() / 2e9 == pytest.approx(giga, rel=1e-3)


def residual(x: torch.Tensor, module: Residual) -> torch.Tensor:
    for conv, norm, _ in module.branch:
        y = F.conv2d(x if conv is module.branch[0][0] else y, conv.weight, padding=1)  # noqa: F821
        shape = (1, -1, 1, 1)
        y = (y - norm.running_mean.view(shape)) / (norm.running_var.view(shape) + norm.eps).sqrt()
        y = (y * norm.weight.view(shape) + norm.bias.view(shape)).clamp_min(0)
    return x + y


def test_calibration_is_equations_2_and_3() -> None:
    torch.manual_seed(0)
    module = Calibration(8).eval()
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.uniform_(-1, 1)
            part.running_var.uniform_(0.5, 2)
            torch.nn.init.uniform_(part.weight)
    x, source = torch.randn(2, 8, 6, 7), torch.randn(2, 8, 3, 4)
    right = residual(source, module.relative)
    gate = torch.stack([right[b].flatten(1).max(1).values for b in range(2)]).sigmoid()
    expected = residual(gate[:, :, None, None] * residual(x, module.local), module.fuse)
    torch.testing.assert_close(module(x, source), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", interactors.names())
def test_shapes_stay(name: str) -> None:
    levels = [torch.randn(2, 16, 32 // 2**i, 48 // 2**i) for i in range(5)]
    found = interactors.build(name, 16, 5)(levels)
    assert [x.shape for x in found] == [x.shape for x in levels]


@pytest.mark.parametrize("name", ["shared2", "rgc"])
def test_shared_layers_do_to_one_scale_what_they_do_to_another(name: str) -> None:
    module = interactors.build(name, 16, 5).eval()
    x = torch.randn(1, 16, 8, 8)
    first, *others = module([x] * 5)
    assert all(torch.equal(first, other) for other in others)


def test_the_dagger_looks_at_the_next_scale() -> None:
    module = interactors.build("rgc_dagger", 8, 5).eval()
    levels = [torch.randn(1, 8, 32 // 2**i, 32 // 2**i) for i in range(5)]
    changed = [levels[0], levels[1] + 5, *levels[2:]]
    before, after = module(levels), module(changed)
    moved = [not torch.allclose(a, b) for a, b in zip(before, after, strict=True)]
    assert moved == [True, True, False, False, False]


def test_an_unknown_interactor_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no interactor is called 'rcg'; known: apart2, none"):
        students.build("cii_r18", interactor="rcg")


@pytest.mark.parametrize("size", [(4, 5), (1, 6), (1, 1)])
def test_a_gate_comes_from_the_largest_value_of_every_map(size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size)
    assert torch.equal(highest(x), x.amax((2, 3), keepdim=True))
