"""Layers that several students share."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Normalise(nn.Module):
    """`(images - mean) / std` as explicit arithmetic, so that a shipped graph takes raw RGB 0-255.

    `images`: (B, 3, H, W) in 0-255; `mean` and `std` per channel in the same units. Not part of
    the state dict: the values belong to the model's spec, not to its training.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("scale", 1 / torch.tensor(std).view(1, -1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return (images - self.mean) * self.scale


def check_size(images: Tensor, multiple: int, model: str, least: int = 1) -> None:
    """Raise `ValueError` unless `images` (B, 3, H, W) have sides that a model can take.

    Those are multiples of `multiple`, of at least `least` pixels.
    """
    height, width = images.shape[-2:]
    if height % multiple or width % multiple or min(height, width) < least:
        bound = f" of at least {least}" if least > 1 else ""
        near = "x".join(str(nearest(side, multiple, least)) for side in (height, width))
        raise ValueError(
            f"{model} takes sides that are multiples of {multiple}{bound}, got {height}x{width}; "
            f"nearest: {near}"
        )


def nearest(side: int, multiple: int, least: int = 1) -> int:
    """The multiple nearest to `side` that is not below `least`."""
    return max(-(-least // multiple) * multiple, round(side / multiple) * multiple)


def conv_bn(
    inputs: int, outputs: int, side: int, *, relu: bool = True, dilation: int = 1
) -> nn.Sequential:
    """Convolution without bias, batch norm and, as a rule, ReLU; the size stays."""
    padding = side // 2 * dilation
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, side, padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, *([nn.ReLU()] if relu else []))


def exchanged(
    module: nn.Module, kind: type[nn.Module], other: Callable[[Any], nn.Module]
) -> nn.Module:
    """A copy of `module` in which `other(child)` stands for every child of a `kind`."""
    module = copy.deepcopy(module)
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if isinstance(child, kind):
                setattr(parent, name, other(child))
    return module


def resized(x: Tensor, size: Sequence[int], *, align_corners: bool = True) -> Tensor:
    """`x` (B, C, h, w) at `size`, bilinear; as it is where it already has that size."""
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    return F.interpolate(x, size=list(size), mode="bilinear", align_corners=align_corners)
