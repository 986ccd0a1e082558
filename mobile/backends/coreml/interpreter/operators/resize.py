"""Resizing: linear in every sampling mode, nearest; pixel shuffles."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mobile.backends.coreml.interpreter.registry import Given, UnsupportedError, operator


def positions(mode: str, size: int, wanted: int) -> Tensor:
    """Where in [0, size - 1] each of `wanted` samples lies, by the name of the sampling mode."""
    index = torch.arange(wanted, dtype=torch.float64)
    if mode in ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS"):
        found = index * ((size - 1) / max(wanted - 1, 1))
        if mode == "ALIGN_CORNERS" and wanted == 1:
            found = torch.full((1,), (size - 1) / 2, dtype=torch.float64)
    elif mode == "DEFAULT":
        found = index * (size / wanted)
    elif mode == "OFFSET_CORNERS":
        found = (index + 0.5) * (max(1, size - 1) / wanted)
    elif mode == "UNALIGN_CORNERS":
        found = (index + 0.5) * (size / wanted) - 0.5
    else:
        raise UnsupportedError(f"sampling_mode {mode}")
    return found.clamp(0, size - 1)


def linear(x: Tensor, size: Sequence[int], mode: str) -> Tensor:
    """The last two axes at `size`, one after the other."""
    if (
        x.dim() == 4
        and mode in ("STRICT_ALIGN_CORNERS", "UNALIGN_CORNERS")
        and x.is_floating_point()
    ):
        aligned = mode == "STRICT_ALIGN_CORNERS"
        return F.interpolate(x, list(size), mode="bilinear", align_corners=aligned)
    for axis, wanted in zip((-2, -1), size, strict=True):
        at = positions(mode, x.shape[axis], wanted)
        low = at.floor().long()
        high = (low + 1).clamp(max=x.shape[axis] - 1)
        part = (at - low).to(torch.float32).reshape(-1, *[1] * (-axis - 1))
        near, far = x.index_select(axis, low), x.index_select(axis, high)
        x = near + (far - near) * part
    return x


def nearest(x: Tensor, size: Sequence[int]) -> Tensor:
    """The last two axes at `size`: sample i is the one at ⌊i · old / new⌋."""
    for axis, wanted in zip((-2, -1), size, strict=True):
        old = x.shape[axis]
        x = x.index_select(axis, torch.arange(wanted) * old // wanted)
    return x


def _factored(given: Given) -> list[int]:
    sides = given.tensor("x").shape[-2:]
    factors = (given.number("scale_factor_height", 1), given.number("scale_factor_width", 1))
    return [math.floor(side * factor + 1e-6) for side, factor in zip(sides, factors, strict=True)]


def _target(given: Given) -> list[int]:
    return [given.whole("target_size_height", 1), given.whole("target_size_width", 1)]


@operator("upsample_bilinear")
def upsample_bilinear(given: Given) -> Tensor:
    """By factors; with aligned corners, half-pixel centres or neither."""
    aligned = given.flag("align_corners", True)
    half = given.flag("half_pixel_centers", not aligned)
    if aligned and half:
        raise UnsupportedError("aligned corners with half-pixel centres")
    mode = "STRICT_ALIGN_CORNERS" if aligned else "UNALIGN_CORNERS" if half else "DEFAULT"
    return linear(given.tensor("x"), _factored(given), mode)


@operator("resize_bilinear")
def resize_bilinear(given: Given) -> Tensor:
    """To a size, in any sampling mode."""
    return linear(given.tensor("x"), _target(given), given.text("sampling_mode", "DEFAULT"))


@operator("upsample_nearest_neighbor")
def upsample_nearest_neighbor(given: Given) -> Tensor:
    """By factors, fractions included."""
    return nearest(given.tensor("x"), _factored(given))


@operator("resize_nearest_neighbor")
def resize_nearest_neighbor(given: Given) -> Tensor:
    """To a size."""
    return nearest(given.tensor("x"), _target(given))


@operator("resize")
def resize(given: Given) -> Tensor:
    """The form of iOS 17: the last axes of `shape`, where 0 keeps a side."""
    x = given.tensor("x")
    count = given.whole("resized_dims", 2)
    wanted = given.wholes("shape", ())[-count:] if count else []
    if count not in (1, 2) or x.dim() < 2:
        raise UnsupportedError(f"{count} resized axes")
    size = [*x.shape[-2:-count], *(w or s for w, s in zip(wanted, x.shape[-count:], strict=True))]
    mode = given.text("sampling_mode", "DEFAULT")
    if given.text("interpolation_mode", "LINEAR") == "LINEAR":
        return linear(x, size, mode)
    if mode != "DEFAULT":
        raise UnsupportedError(f"nearest neighbour with sampling_mode {mode}")
    return nearest(x, size)


@operator("pixel_shuffle")
def pixel_shuffle(given: Given) -> Tensor:
    """Channels into space, in torch's order."""
    return F.pixel_shuffle(given.tensor("x"), given.whole("upscale_factor", 1))


@operator("pixel_unshuffle")
def pixel_unshuffle(given: Given) -> Tensor:
    """Space into channels, in torch's order."""
    return F.pixel_unshuffle(given.tensor("x"), given.whole("downscale_factor", 1))


@operator("depth_to_space")
def depth_to_space(given: Given) -> Tensor:
    """Channels into space, the block first: channel (i, j, c) goes to pixel (i, j)."""
    x, block = given.tensor("x"), given.whole("block_size", 1)
    batch, channels, height, width = x.shape
    split = x.reshape(batch, block, block, channels // block**2, height, width)
    return split.permute(0, 3, 4, 1, 5, 2).reshape(batch, -1, height * block, width * block)


@operator("space_to_depth")
def space_to_depth(given: Given) -> Tensor:
    """The reverse of `depth_to_space`."""
    x, block = given.tensor("x"), given.whole("block_size", 1)
    batch, channels, height, width = x.shape
    split = x.reshape(batch, channels, height // block, block, width // block, block)
    return split.permute(0, 3, 5, 1, 2, 4).reshape(
        batch, channels * block**2, height // block, width // block
    )
