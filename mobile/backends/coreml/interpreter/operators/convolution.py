"""Convolutions, forward and transposed, in one to three dimensions."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from mobile.backends.coreml.interpreter.operators.windows import flat, pads, spread
from mobile.backends.coreml.interpreter.registry import Given, operator

_FORWARD = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


@operator("conv")
def conv(given: Given) -> Tensor:
    """Groups, strides, dilations; padding `valid`, `same`, `same_lower` or `custom`."""
    x, weight = given.tensor("x"), given.tensor("weight")
    rank = x.dim() - 2
    strides = given.wholes("strides", [1] * rank)
    dilations = given.wholes("dilations", [1] * rank)
    around = pads(given, x.shape[2:], spread(weight.shape[2:], dilations), strides)
    symmetric = all(before == after for before, after in around)
    inside = [before for before, _ in around] if symmetric else [0] * rank
    result: Tensor = _FORWARD[rank](
        x if symmetric else F.pad(x, flat(around)),
        weight,
        given.optional("bias"),
        strides,
        inside,
        dilations,
        given.whole("groups", 1),
    )
    return result


@operator("conv_transpose")
def conv_transpose(given: Given) -> Tensor:
    """The whole result, then cut to its shape: `pad` removes, `output_shape` may add zeros."""
    x, weight = given.tensor("x"), given.tensor("weight")
    rank = x.dim() - 2
    strides = given.wholes("strides", [1] * rank)
    dilations = given.wholes("dilations", [1] * rank)
    whole: Tensor = _TRANSPOSED[rank](
        x, weight, None, strides, 0, 0, given.whole("groups", 1), dilations
    )
    stated = given.wholes("output_shape", ())
    crops = []
    for axis in range(rank):
        side = whole.shape[2 + axis]
        wanted = stated[2 + axis] if stated else x.shape[2 + axis] * strides[axis]
        before, after = _cut(given, axis, side, wanted if stated else None, wanted)
        crops.append((-before, -after))
    result = F.pad(whole, flat(crops))
    bias = given.optional("bias")
    return result if bias is None else result + bias.reshape(-1, *[1] * rank)


def _cut(given: Given, axis: int, side: int, stated: int | None, same: int) -> tuple[int, int]:
    """How much of `side` goes before and after; negative where zeros are added."""
    kind = given.text("pad_type", "valid").lower()
    if kind == "custom":
        numbers = given.wholes("pad", [0] * 2 * (axis + 1))
        before, after = numbers[2 * axis], numbers[2 * axis + 1]
    elif kind.startswith("same"):
        total = side - same
        before, after = total // 2, total - total // 2
        if kind == "same_lower":
            before, after = after, before
    else:
        before = after = 0
    return (before, after) if stated is None else (before, side - before - stated)
