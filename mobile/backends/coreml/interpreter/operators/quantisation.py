"""Quantisation of activations (iOS 17)."""

from __future__ import annotations

import torch
from torch import Tensor

from mobile.backends.coreml.interpreter.operators.constants import along
from mobile.backends.coreml.interpreter.registry import Given, UnsupportedError, operator

_LIMITS = {"int8": (-128, 127), "uint8": (0, 255)}


def _scales(given: Given, rank: int) -> tuple[Tensor, Tensor]:
    axis = given.whole("axis", 0)
    scale = along(given.tensor("scale"), axis, rank)
    zero = given.tensor("zero_point") if "zero_point" in given else torch.tensor(0)
    return scale, along(zero, axis, rank)


@operator("quantize")
def quantize(given: Given) -> Tensor:
    """round(x / scale) + zero point, halves to even, clipped to the type."""
    x, kind = given.tensor("input"), given.text("output_dtype", "int8")
    if kind not in _LIMITS:
        raise UnsupportedError(f"output_dtype {kind}")
    scale, zero = _scales(given, x.dim())
    return ((x / scale).round() + zero).clamp(*_LIMITS[kind])


@operator("dequantize")
def dequantize(given: Given) -> Tensor:
    """Scale · (levels - zero point)."""
    levels = given.tensor("input").float()
    scale, zero = _scales(given, levels.dim())
    return scale * (levels - zero)
