"""Shapes: reshape, transpose, join, split, repeat, fill."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mobile.backends.coreml.interpreter.registry import Given, UnsupportedError, operator


@operator("reshape")
def reshape(given: Given) -> Tensor:
    """-1 is what remains, 0 keeps a side."""
    x, shape = given.tensor("x"), given.wholes("shape", ())
    return x.reshape([x.shape[i] if side == 0 else side for i, side in enumerate(shape)])


@operator("reshape_like")
def reshape_like(given: Given) -> Tensor:
    """The sides of each reference between its begin and end, one after the other."""
    begins, ends = given.wholes("begins", ()), given.wholes("ends", ())
    if any(given.flags("end_masks", len(ends))):
        raise UnsupportedError("end_masks")
    sides: list[int] = []
    for other, begin, end in zip(given.tensors("ref_tensors"), begins, ends, strict=True):
        sides += other.shape[begin:end]
    return given.tensor("x").reshape(sides)


@operator("expand_dims")
def expand_dims(given: Given) -> Tensor:
    """Axes of one element."""
    x, axes = given.tensor("x"), given.wholes("axes", ())
    rank = x.dim() + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        x = x.unsqueeze(axis)
    return x


@operator("squeeze")
def squeeze(given: Given) -> Tensor:
    """Without axes of one element, all or those named."""
    x = given.tensor("x")
    return x.squeeze(given.wholes("axes", range(x.dim())))


@operator("flatten2d")
def flatten2d(given: Given) -> Tensor:
    """Two axes: those before `axis`, and the rest."""
    x = given.tensor("x")
    axis = given.whole("axis", 1)
    rows = int(torch.tensor(x.shape[:axis]).prod()) if x.shape[:axis] else 1
    return x.reshape(rows, -1)


@operator("transpose")
def transpose(given: Given) -> Tensor:
    """Axes in another order."""
    return given.tensor("x").permute(given.wholes("perm", ()))


@operator("concat")
def concat(given: Given) -> Tensor:
    """One after the other, or element by element if interleaved."""
    values, axis = given.tensors("values"), given.whole("axis", 0)
    if not given.flag("interleave", False):
        return torch.cat(
            [value.reshape(1) if value.dim() == 0 else value for value in values], axis
        )
    axis %= values[0].dim()
    return torch.stack(values, axis + 1).flatten(axis, axis + 1)


@operator("stack")
def stack(given: Given) -> Tensor:
    """Along a new axis."""
    return torch.stack(given.tensors("values"), given.whole("axis", 0))


@operator("split")
def split(given: Given) -> tuple[Tensor, ...]:
    """Into parts of the same or of given sizes."""
    x, axis = given.tensor("x"), given.whole("axis", 0)
    count = given.whole("num_splits", 1)
    sizes = given.wholes("split_sizes", [x.shape[axis] // count] * count)
    return torch.split(x, sizes, axis)


@operator("tile")
def tile(given: Given) -> Tensor:
    """Repeated along every axis."""
    return given.tensor("x").repeat(given.wholes("reps", ()))


@operator("pad")
def pad(given: Given) -> Tensor:
    """The last axes: by a constant, by reflection or by the edge."""
    x, amounts = given.tensor("x"), given.wholes("pad", ())
    mode = given.text("mode", "constant")
    pairs = list(zip(amounts[::2], amounts[1::2], strict=True))
    if mode == "constant":
        flat = [number for pair in reversed(pairs) for number in pair]
        return F.pad(x, flat, value=given.number("constant_val", 0))
    if mode not in ("reflect", "replicate"):
        raise UnsupportedError(f"mode {mode}")
    for axis, (before, after) in zip(range(-len(pairs), 0), pairs, strict=True):
        index = torch.arange(-before, x.shape[axis] + after)
        last = x.shape[axis] - 1
        index = index.clamp(0, last) if mode == "replicate" else last - (last - index.abs()).abs()
        x = x.index_select(axis, index)
    return x


@operator("shape")
def shape(given: Given) -> Tensor:
    """Sides as integers."""
    return torch.tensor(given.tensor("x").shape, dtype=torch.int32)


@operator("fill")
def fill(given: Given) -> Tensor:
    """One value everywhere."""
    value = given.tensor("value") if "value" in given else torch.tensor(0.0)
    return value.expand(given.wholes("shape", ())).clone()


@operator("fill_like")
def fill_like(given: Given) -> Tensor:
    """One value in another tensor's shape."""
    value = given.tensor("value") if "value" in given else torch.tensor(0.0)
    return value.expand(given.tensor("ref_tensor").shape).clone()


@operator("range_1d")
def range_1d(given: Given) -> Tensor:
    """From `start` to `end`, which is not reached, by `step`."""
    start, end, step = (given.tensor(name).item() for name in ("start", "end", "step"))
    return torch.arange(start, end, step)


@operator("reverse")
def reverse(given: Given) -> Tensor:
    """Back to front."""
    x = given.tensor("x")
    return x.flip(given.wholes("axes", range(x.dim())))


@operator("band_part")
def band_part(given: Given) -> Tensor:
    """Zero outside a band around the diagonal."""
    x, lower, upper = given.tensor("x"), given.whole("lower", -1), given.whole("upper", -1)
    below = torch.arange(x.shape[-2])[:, None] - torch.arange(x.shape[-1])
    inside = torch.ones_like(below, dtype=torch.bool)
    if lower >= 0:
        inside &= below <= lower
    if upper >= 0:
        inside &= -below <= upper
    return torch.where(inside, x, torch.zeros_like(x))


@operator("sliding_windows")
def sliding_windows(given: Given) -> Tensor:
    """Every window of `size` along an axis, as an axis of their own behind it."""
    x = given.tensor("x")
    axis = given.whole("axis", 0) % x.dim()
    windows = x.unfold(axis, given.whole("size", 1), given.whole("stride", 1))
    return windows.movedim(-1, axis + 1)
