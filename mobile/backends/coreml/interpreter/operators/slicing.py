"""Parts of tensors: slices, gathers, one-hot vectors."""

from __future__ import annotations

import torch
from torch import Tensor

from mobile.backends.coreml.interpreter.registry import Given, UnsupportedError, operator


def _slices(given: Given, shape: torch.Size) -> list[slice]:
    """Of each axis, masks applied; those of one index are slices of one element."""
    rank = len(shape)
    begin, end = given.wholes("begin", ()), given.wholes("end", ())
    stride = given.wholes("stride", [1] * rank)
    first, last, single = (
        given.flags(name, rank) for name in ("begin_mask", "end_mask", "squeeze_mask")
    )
    found = []
    for axis, side in enumerate(shape):
        if single[axis]:
            at = begin[axis] % side
            found.append(slice(at, at + 1, 1))
            continue
        start = None if first[axis] else begin[axis]
        stop = None if last[axis] else end[axis]
        found.append(slice(start, stop, stride[axis]))
    return found


def _indices(part: slice, side: int) -> Tensor:
    return torch.arange(*part.indices(side))


@operator("slice_by_index")
def slice_by_index(given: Given) -> Tensor:
    """As numpy slices, negative strides included."""
    x = given.tensor("x")
    parts = _slices(given, x.shape)
    if all(part.step > 0 for part in parts):
        x = x[tuple(parts)]
    else:
        for axis, part in enumerate(parts):
            x = x.index_select(axis, _indices(part, x.shape[axis]))
    single = given.flags("squeeze_mask", len(parts))
    gone = [axis for axis, one in enumerate(single) if one]
    return x.squeeze(gone) if gone else x


@operator("slice_by_size")
def slice_by_size(given: Given) -> Tensor:
    """From `begin` on, `size` elements of each axis; -1: all that follow."""
    x = given.tensor("x")
    begin, size = given.wholes("begin", ()), given.wholes("size", ())
    parts = []
    for side, start, count in zip(x.shape, begin, size, strict=True):
        at = start + side if start < 0 else start
        parts.append(slice(at, side if count == -1 else at + count))
    return x[tuple(parts)]


@operator("crop")
def crop(given: Given) -> Tensor:
    """Without rows at the top and bottom and columns at the left and right."""
    x = given.tensor("x")
    top, bottom = given.wholes("crop_height", (0, 0))
    left, right = given.wholes("crop_width", (0, 0))
    return x[..., top : x.shape[-2] - bottom, left : x.shape[-1] - right]


@operator("slice_update")
def slice_update(given: Given) -> Tensor:
    """A copy whose slice is replaced."""
    x, update = given.tensor("x").clone(), given.tensor("update")
    parts = _slices(given, x.shape)
    if any(part.step < 1 for part in parts):
        raise UnsupportedError("a negative stride")
    x[tuple(parts)] = update.reshape(x[tuple(parts)].shape)
    return x


@operator("gather")
def gather(given: Given) -> Tensor:
    """Whole slices along an axis, by index."""
    x, indices = given.tensor("x"), given.tensor("indices").long()
    axis, batch = given.whole("axis", 0) % x.dim(), given.whole("batch_dims", 0)
    if batch:
        raise UnsupportedError("batch_dims")
    indices = torch.where(indices < 0, indices + x.shape[axis], indices)
    taken = x.index_select(axis, indices.reshape(-1))
    return taken.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])


@operator("gather_along_axis")
def gather_along_axis(given: Given) -> Tensor:
    """Single elements along an axis, by index."""
    x, indices = given.tensor("x"), given.tensor("indices").long()
    axis = given.whole("axis", 0)
    return x.gather(axis, torch.where(indices < 0, indices + x.shape[axis], indices))


@operator("gather_nd")
def gather_nd(given: Given) -> Tensor:
    """Slices whose leading indices are the last axis of `indices`."""
    x, indices = given.tensor("x"), given.tensor("indices").long()
    if given.whole("batch_dims", 0):
        raise UnsupportedError("batch_dims")
    return x[tuple(indices.unbind(-1))]


@operator("one_hot")
def one_hot(given: Given) -> Tensor:
    """`on_value` at each index along a new axis, `off_value` elsewhere."""
    indices, size = given.tensor("indices").long(), given.whole("one_hot_vector_size", 1)
    hot = (indices[..., None] == torch.arange(size)).movedim(-1, given.whole("axis", -1))
    return torch.where(
        hot, torch.tensor(given.number("on_value", 1)), torch.tensor(given.number("off_value", 0))
    )


@operator("non_zero")
def non_zero(given: Given) -> Tensor:
    """Indices of what is not zero, a row each."""
    return given.tensor("x").nonzero()
