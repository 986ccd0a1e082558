"""GALD-Net: exact sizes and costs, its equations against slow references, what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import students
from students.dilated import DilatedResNet
from students.gald import GaldBlock, LocalDistribution

SIDE = 769
"""The paper's crop, of the authors' training: 8 n + 1."""


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def meta(name: str, **options: object) -> nn.Module:
    with torch.device("meta"):
        return students.build(name, **options).eval()


def settled(module: nn.Module, seed: int = 0) -> nn.Module:
    """In float64, with statistics and weights of its own everywhere."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d | nn.GroupNorm):
            nn.init.uniform_(part.weight, 0.5, 1.5, generator=generator)
            nn.init.uniform_(part.bias, -1, 1, generator=generator)
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.uniform_(-1, 1, generator=generator)
            part.running_var.uniform_(0.5, 2, generator=generator)
    return module.double().eval()


def values(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# The authors' networks with 19 classes, while they train and as they ship.
@pytest.mark.parametrize(
    ("name", "training", "shipped"),
    [("gald_r50", 52_402_662, 47_672_787), ("gald_r101", 71_394_790, 66_664_915)],
)
def test_parameters(name: str, training: int, shipped: int) -> None:
    assert parameters(meta(name)) == training
    assert parameters(meta(name, aux=False)) == shipped


@pytest.mark.parametrize(("name", "giga"), [("gald_r50", 467.9), ("gald_r101", 646.1)])
def test_multiply_accumulates_at_the_papers_size(name: str, giga: float) -> None:
    student = meta(name)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        taps = student.backbone(torch.zeros(1, 3, SIDE, SIDE, device="meta"))
        student.head(student._headed(taps[-1]))
    assert counter.get_total_flops() / 2e9 == pytest.approx(giga, rel=1e-3)


@pytest.mark.parametrize(("side", "taps"), [(SIDE, (193, 97, 97, 97)), (512, (128, 64, 64, 64))])
def test_stages_stop_at_stride_8(side: int, taps: tuple[int, ...]) -> None:
    with torch.device("meta"):
        backbone = DilatedResNet(50)
        found = backbone(torch.zeros(1, 3, side, side))
    assert [x.shape[-2:] for x in found] == [(n, n) for n in taps]
    assert [x.shape[1] for x in found] == list(backbone.channels)


@pytest.mark.parametrize(("depth", "blocks"), [(18, 2), (50, 3), (101, 3)])
def test_the_last_stages_dilate_by_2_and_by_the_multi_grid(depth: int, blocks: int) -> None:
    with torch.device("meta"):
        backbone = DilatedResNet(depth)
    dilations = [
        [{c.dilation for c in block.modules() if getattr(c, "kernel_size", None) == (3, 3)}
         for block in stage]
        for stage in (backbone.layer3, backbone.layer4)
    ]  # fmt: skip
    assert all(found == {(2, 2)} for found in dilations[0])
    assert dilations[1] == [{(n, n)} for n in (4, 8, 16)[:blocks]]


def slow_resized(x: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear between corner pixels."""
    found = np.empty((x.shape[0], height, width))
    for i, j in np.ndindex(height, width):
        y = i * (x.shape[1] - 1) / (height - 1) if height > 1 else 0.0
        z = j * (x.shape[2] - 1) / (width - 1) if width > 1 else 0.0
        top, left = min(int(y), x.shape[1] - 1), min(int(z), x.shape[2] - 1)
        bottom, right = min(top + 1, x.shape[1] - 1), min(left + 1, x.shape[2] - 1)
        down, across = y - top, z - left
        upper = (1 - across) * x[:, top, left] + across * x[:, top, right]
        lower = (1 - across) * x[:, bottom, left] + across * x[:, bottom, right]
        found[:, i, j] = (1 - down) * upper + down * lower
    return found


def slow_mask(module: LocalDistribution, x: np.ndarray) -> np.ndarray:
    """The mask before the sigmoid, at an eighth of the size."""
    if module.mask == "conv":
        for conv, norm, _ in module.steps:
            weight, shift = conv.weight[:, 0].detach().numpy(), conv.bias.detach().numpy()
            size = ((x.shape[1] - 1) // 2, (x.shape[2] - 1) // 2)
            found = np.empty((len(x), *size))
            for c, i, j in np.ndindex(found.shape):
                window = x[c, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
                found[c, i, j] = (window * weight[c]).sum() + shift[c]
            parts = (norm.running_mean, norm.running_var + norm.eps, norm.weight, norm.bias)
            mean, spread, scale, bias = (p.detach().numpy()[:, None, None] for p in parts)
            x = np.maximum((found - mean) / np.sqrt(spread) * scale + bias, 0)
        return x
    rows, columns = x.shape[1] // 8, x.shape[2] // 8
    if module.mask == "bilinear":
        return slow_resized(x, rows, columns)
    found = np.empty((len(x), rows, columns))
    for i, j in np.ndindex(rows, columns):
        down = slice(i * x.shape[1] // rows, -(-(i + 1) * x.shape[1] // rows))
        across = slice(j * x.shape[2] // columns, -(-(j + 1) * x.shape[2] // columns))
        found[:, i, j] = x[:, down, across].mean(axis=(1, 2))
    return found


@pytest.mark.parametrize("mask", ["conv", "bilinear", "average"])
@pytest.mark.parametrize(("gate", "base"), [("paper", 1.0), ("authors", 2.0)])
def test_local_distribution_is_equations_1_and_2(mask: str, gate: str, base: float) -> None:
    module = settled(LocalDistribution(2, mask, gate))
    x = values(1, 2, 18, 23)
    small = slow_mask(module, x[0].numpy())
    shown = 1 / (1 + np.exp(-slow_resized(small, 18, 23)))
    expected = x[0].numpy() * (base + shown)
    np.testing.assert_allclose(module(x)[0].detach(), expected, rtol=1e-9)
    if mask == "conv":
        assert (shown >= 0.5).all(), "its last ReLU keeps the mask at or above one half"


class Plus(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + 1


class Twice(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


@pytest.mark.parametrize("arrangement", ["gald", "ldga", "parallel"])
def test_arrangements_are_figure_3s(arrangement: str) -> None:
    block = GaldBlock(4, "none", True, arrangement, "average", "paper").double().eval()
    block.context, block.local = Plus(), Twice()
    x = values(1, 4, 8, 8)
    expected = {
        "gald": lambda: 2 * (x + 1),
        "ldga": lambda: 2 * x + 1,
        "parallel": lambda: block.join(torch.cat([2 * x, x + 1], 1)),
    }
    torch.testing.assert_close(block(x), expected[arrangement]())
    joins = parameters(block.join)
    assert joins == (2 * 4 * 4 + 2 * 4 if arrangement == "parallel" else 0)


def test_without_local_distribution_the_context_is_all_there_is() -> None:
    block = GaldBlock(4, "none", False, "gald", "conv", "paper")
    x = torch.randn(1, 4, 8, 8)
    assert torch.equal(block(x), x)


@pytest.fixture(scope="module")
def tiny() -> nn.Module:
    torch.manual_seed(0)
    return students.build("gald_r18", classes=5, width=16).eval()


@torch.no_grad()
def test_outputs_are_what_ships_and_the_auxiliary_head_beside(tiny: nn.Module) -> None:
    images = torch.rand(1, 3, 120, 136) * 255
    main, others = tiny.outputs(images)
    assert torch.equal(main, tiny(images))
    assert [x.shape for x in (main, *others)] == [(1, 5, 120, 136)] * 2
    features = tiny.features(images)
    assert [tuple(x.shape[-2:]) for x in features] == [(30, 34), *[(15, 17)] * 3]
    head = F.interpolate(tiny.head(features[-1]), (120, 136), mode="bilinear", align_corners=True)
    torch.testing.assert_close(main, head)
    third = tiny.auxiliary(features[2])
    expected = F.interpolate(third, (120, 136), mode="bilinear", align_corners=True)
    torch.testing.assert_close(others[0], expected)


def test_no_auxiliary_head_no_auxiliary_logits() -> None:
    student = meta("gald_r18", aux=False)
    assert student.auxiliary is None
    assert student.outputs(torch.zeros(1, 3, 120, 120, device="meta"))[1] == []


@pytest.mark.parametrize(
    ("size", "near"),
    [
        ((112, 128), "120x128"),
        ((130, 119), "128x120"),
        ((64, 500), "120x496"),
        ((121, 120), "120x"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_with_the_nearest(
    tiny: nn.Module, size: tuple[int, int], near: str
) -> None:
    match = rf"gald_r18 takes .* multiples of 8 of at least 120, got {size[0]}x.*nearest: {near}"
    with pytest.raises(ValueError, match=match):
        tiny(torch.zeros(1, 3, *size))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (
            {"context": "ccnet"},
            "no aggregation is called 'ccnet'; known: aspp, cgnl, nl, none, psp",
        ),
        ({"mask": "max"}, "mask is conv, bilinear or average, got 'max'"),
        ({"gate": "code"}, "gate is paper or authors, got 'code'"),
        ({"arrangement": "serial"}, "arrangement is gald, ldga or parallel, got 'serial'"),
        ({"weights": "torchvision"}, "no weights of a ResNet with a deep stem"),
    ],
)
def test_what_is_not_known_is_named_with_what_is(options: dict[str, str], match: str) -> None:
    with torch.device("meta"), pytest.raises(ValueError, match=match):
        students.build("gald_r18", **options)


def test_another_depth_is_refused() -> None:
    with pytest.raises(ValueError, match="18, 50 or 101 layers, got 34"):
        DilatedResNet(34)


def test_backbones_are_filled_from_a_file_of_their_own(tmp_path: Path, tiny: nn.Module) -> None:
    state = tiny.backbone.state_dict()
    save_file(state, tmp_path / "whole.safetensors")
    other = students.build("gald_r18", weights=tmp_path / "whole.safetensors", width=16)
    assert all(torch.equal(v, state[k]) for k, v in other.backbone.state_dict().items())
    save_file({"stem.0.weight": state["stem.0.weight"]}, tmp_path / "part.safetensors")
    with pytest.raises(ValueError, match=r"is no dilated ResNet-18 file: it lacks stem\.1\.weight"):
        students.build("gald_r18", weights=tmp_path / "part.safetensors")


def test_only_what_has_a_group_norm_has_another_form() -> None:
    assert list(students.build("gald_r18").export_forms()) == ["pooled_norm", "paper"]
    assert list(students.build("gald_r18", context="psp").export_forms()) == ["paper"]
