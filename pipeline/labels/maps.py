"""From a teacher's output to the map that is stored of it, at the size the student learns at."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

Size = tuple[int, int]
"""Height and width, pixels."""

_LEAST = -60.0
"""Logarithm of the least density that is stored: nobody looks there, and float16 holds it."""


def fixation_map(logits: Tensor, size: Size) -> Tensor:
    """Maps (n, 1, h, w) in 0-1 from logits (n, 1, H, W)."""
    return _resized(torch.sigmoid(logits), size)


def log_density(output: Tensor, size: Size) -> Tensor:
    """Log densities over the pixels of `size`, (n, 1, h, w), from ones over others (n, 1, H, W).

    The density is resized, not its logarithm; where the resize overshoots below 0 it is clamped,
    and the rest normalised.
    """
    peak = output.flatten(1).amax(1).view(-1, 1, 1, 1)
    density = _resized((output - peak).exp(), size).clamp_min(0)
    return (density / density.sum(dim=(2, 3), keepdim=True)).log().clamp_min(_LEAST)


def _resized(maps: Tensor, size: Size) -> Tensor:
    if maps.shape[-2:] == size:
        return maps
    return F.interpolate(maps, size=size, mode="bilinear", align_corners=False, antialias=True)
