"""Constants, plain and compressed, unfolded when a program is opened."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from mobile.backends.coreml.interpreter.blob import unpack
from mobile.backends.coreml.interpreter.registry import Given, UnsupportedError, operator


@operator("const")
def const(given: Given) -> Any:
    """The value itself."""
    return given.optional("val")


@operator("constexpr_cast")
def constexpr_cast(given: Given) -> Tensor:
    """Stored in another type."""
    return given.tensor("source_val")


@operator("constexpr_affine_dequantize")
def affine_dequantize(given: Given) -> Tensor:
    """Scale · (levels - zero point), both one for all or one per slice of an axis."""
    levels, axis = given.tensor("quantized_data").float(), given.whole("axis", 0)
    zero, scale = (along(given.tensor(n), axis, levels.dim()) for n in ("zero_point", "scale"))
    return scale * (levels - zero)


@operator("constexpr_blockwise_shift_scale")
def blockwise_shift_scale(given: Given) -> Tensor:
    """Scale · (data - offset), both one for each block of any shape."""
    data, scale = given.tensor("data").float(), given.tensor("scale")
    wide = _repeated(scale, data.shape)
    if "offset" in given:
        data = data - _repeated(given.tensor("offset").float(), data.shape)
    return wide * data


@operator("constexpr_lut_to_dense")
def lut_to_dense(given: Given) -> Tensor:
    """Entries of look-up tables by index: one table (iOS 16), or one per block (iOS 18)."""
    indices, table = given.tensor("indices"), given.tensor("lut")
    if "shape" in given:  # iOS 16: indices packed into bytes
        shape = given.wholes("shape", ())
        bits = round(math.log2(table.numel()))
        flat = unpack(indices.numpy().tobytes(), bits, math.prod(shape))
        return table[torch.from_numpy(flat).long()].reshape(shape)
    return _by_block(indices, table, given.optional("vector_axis"))


def _by_block(indices: Tensor, table: Tensor, axis: Tensor | None) -> Tensor:
    entries, width = table.shape[-2:]
    blocks = table.shape[:-2]
    number = torch.arange(math.prod(blocks)).reshape(blocks)
    flat = table.reshape(-1, width)
    found = flat[_repeated(number, indices.shape) * entries + indices.long()]
    if width == 1:
        return found.squeeze(-1)
    if axis is None:
        raise UnsupportedError("vectors in the table without vector_axis")
    at = int(axis) % indices.dim()
    return found.movedim(-1, at + 1).flatten(at, at + 1)


@operator("constexpr_sparse_to_dense")
def sparse_to_dense(given: Given) -> Tensor:
    """Values where the mask has a one, zeros elsewhere."""
    values, mask = given.tensor("nonzero_data"), given.tensor("mask")
    if "shape" in given:  # iOS 16: the mask packed into bytes
        shape = given.wholes("shape", ())
        packed = unpack(mask.numpy().tobytes(), 1, math.prod(shape))
        mask = torch.from_numpy(packed).reshape(shape)
    dense = torch.zeros(mask.shape, dtype=values.dtype)
    dense[mask != 0] = values
    return dense


@operator("constexpr_lut_to_sparse")
def lut_to_sparse(given: Given) -> tuple[Tensor, Tensor]:
    """The mask, and entries of one table for what it leaves."""
    mask, table = given.tensor("indices_mask"), given.tensor("lut")
    if table.shape[-1] != 1 or math.prod(table.shape[:-2]) != 1:
        raise UnsupportedError("several tables, or vectors in them")
    return mask, table.reshape(-1)[given.tensor("indices_nonzero_data").long()]


@operator("constexpr_sparse_blockwise_shift_scale")
def sparse_blockwise_shift_scale(given: Given) -> tuple[Tensor, Tensor]:
    """The mask, and scale · (data - offset) of what it leaves."""
    mask, data = given.tensor("data_mask"), given.tensor("nonzero_data").float()
    at = mask != 0
    scale = _repeated(given.tensor("scale"), mask.shape)[at]
    if "offset" in given:
        data = data - _repeated(given.tensor("offset").float(), mask.shape)[at]
    return mask, scale * data


def along(value: Tensor, axis: int, rank: int) -> Tensor:
    """A number, or a vector shaped to be broadcast along one axis."""
    if value.dim() == 0:
        return value.float()
    shape = [1] * rank
    shape[axis] = -1
    return value.float().reshape(shape)


def _repeated(value: Tensor, shape: torch.Size) -> Tensor:
    """Each element over its block, so that the result has `shape`."""
    for axis, side in enumerate(shape):
        if value.shape[axis] != side:
            value = value.repeat_interleave(side // value.shape[axis], axis)
    return value
