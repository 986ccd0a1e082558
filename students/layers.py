"""Layers that several students share."""

from __future__ import annotations

import torch
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


def check_size(images: Tensor, multiple: int, model: str) -> None:
    """Raise `ValueError` unless both sides of `images` (B, 3, H, W) are multiples of `multiple`."""
    height, width = images.shape[-2:]
    if height % multiple or width % multiple:
        raise ValueError(
            f"{model} takes sides that are multiples of {multiple}, got {height}x{width}; "
            f"nearest: {_nearest(height, multiple)}x{_nearest(width, multiple)}"
        )


def _nearest(side: int, multiple: int) -> int:
    return max(multiple, round(side / multiple) * multiple)
