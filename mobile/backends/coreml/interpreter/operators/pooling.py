"""Average, maximum and L2 pooling in one to three dimensions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mobile.backends.coreml.interpreter.operators.windows import flat, pads
from mobile.backends.coreml.interpreter.registry import Given, operator

_AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
_LARGEST = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}


def _window(given: Given, x: Tensor) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    """Kernel, strides and pads; with `ceil_mode`, pads that let the last window end outside."""
    sides = x.shape[2:]
    kernel = given.wholes("kernel_sizes", ())
    strides = given.wholes("strides", [1] * len(sides))
    around = pads(given, sides, kernel, strides)
    return kernel, strides, around


def _overhang(given: Given, x: Tensor) -> list[tuple[int, int]]:
    """Elements beyond the padding that the last window of each axis reaches into."""
    kernel, strides, around = _window(given, x)
    if not given.flag("ceil_mode", False):
        return [(0, 0)] * len(kernel)
    found = []
    for side, size, stride, (before, after) in zip(
        x.shape[2:], kernel, strides, around, strict=True
    ):
        whole = side + before + after
        count = -(-(whole - size) // stride) + 1
        # A window that would start behind the input and its first padding does not count.
        count -= (count - 1) * stride >= side + before and before + after > 0
        found.append((0, max(0, (count - 1) * stride + size - whole)))
    return found


@operator("max_pool")
def max_pool(given: Given) -> Tensor:
    """The largest value in each window; padding never wins."""
    x = given.tensor("x")
    kernel, strides, around = _window(given, x)
    padded = F.pad(F.pad(x, flat(around), value=float("-inf")), flat(_overhang(given, x)),
                   value=float("-inf"))  # fmt: skip
    result: Tensor = _LARGEST[x.dim() - 2](padded, kernel, strides)
    return result


@operator("avg_pool")
def avg_pool(given: Given) -> Tensor:
    """The mean of each window; padding counts unless it is excluded."""
    x = given.tensor("x")
    kernel, strides, around = _window(given, x)
    over = flat(_overhang(given, x))
    pool = _AVERAGE[x.dim() - 2]
    total: Tensor = pool(F.pad(F.pad(x, flat(around)), over), kernel, strides)
    counted = torch.ones_like(x[:1, :1])
    included = 0.0 if given.flag("exclude_padding_from_average", False) else 1.0
    share: Tensor = pool(F.pad(F.pad(counted, flat(around), value=included), over), kernel, strides)
    return total / share


@operator("l2_pool")
def l2_pool(given: Given) -> Tensor:
    """The root of the sum of squares in each window."""
    x = given.tensor("x")
    kernel, strides, around = _window(given, x)
    padded = F.pad(F.pad(x.square(), flat(around)), flat(_overhang(given, x)))
    mean: Tensor = _AVERAGE[x.dim() - 2](padded, kernel, strides)
    return (mean * float(torch.tensor(kernel).prod())).sqrt()
