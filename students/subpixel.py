"""Merging pyramid levels through a sub-pixel convolution, as printed and in an equal, cheap form.

FastSal (C) upsamples three levels to 1/2, concatenates 1,408 channels, PixelShuffles them to full
size and convolves 3x3 to one channel: 69 MB of upsampled features for a 192x256 image. Two exact
identities remove them:

1. PixelShuffle(2) then a 3x3 convolution C -> 1 equals a 3x3 convolution 4C -> 4 then
   PixelShuffle(2), with the kernel's entries moved to where their sub-pixel lies.
2. A 3x3 convolution is nine 1x1 convolutions, shifted and added; a 1x1 convolution commutes with
   per-channel resampling. So each level mixes its channels to 9 x 4 = 36 at its own low
   resolution, only those 36 are upsampled, the levels add up, and one fixed 0/1 convolution does
   the nine shifts (its zero padding is the original padding).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TAPS = 9
SUBPIXELS = 4


def paper_merge(features: Sequence[Tensor], weight: Tensor, bias: Tensor | None) -> Tensor:
    """The merger as printed: `features` (B, C_l, H_l, W_l) fine to coarse -> (B, 1, 2H, 2W)."""
    size = list(features[0].shape[-2:])
    same = [_upsample(x, size) for x in features]
    return F.conv2d(F.pixel_shuffle(torch.cat(same, 1), 2), weight, bias, padding=1)


def subpixel_kernel(weight: Tensor) -> Tensor:
    """Kernel (4, 4C, 3, 3) that gives before PixelShuffle what `weight` (1, C, 3, 3) gives after.

    Output sub-pixel (a, b) meets kernel row dy at full-size row 2y + a + dy, which is sub-pixel
    (a + dy) mod 2 of low-resolution row y + (a + dy) // 2; columns alike.
    """
    channels = weight.shape[1]
    # Pick the (row, sub-row) of each (a, dy) with a constant 0/1 tensor: differentiable, loop-free.
    pick = torch.zeros(2, 3, 2, 3, dtype=weight.dtype, device=weight.device)
    for a in range(2):
        for dy in (-1, 0, 1):
            pick[a, (a + dy) // 2 + 1, (a + dy) % 2, dy + 1] = 1
    kernel = torch.einsum("cyx,aYiy,bXjx->abcijYX", weight[0], pick, pick)
    return kernel.reshape(SUBPIXELS, SUBPIXELS * channels, 3, 3)


def subpixel_conv(conv: nn.Conv2d) -> nn.Conv2d:
    """What gives before PixelShuffle(2) the result of the 3x3 `conv` (C -> 1) after it."""
    bias = None if conv.bias is None else conv.bias.expand(SUBPIXELS)
    return _conv(subpixel_kernel(conv.weight), bias, 1)


def shift_kernel(like: Tensor) -> Tensor:
    """Fixed (4, 36, 3, 3) convolution that shifts nine tap maps per sub-pixel and adds them."""
    kernel = torch.zeros(SUBPIXELS, SUBPIXELS * TAPS, 3, 3, dtype=like.dtype, device=like.device)
    for sub in range(SUBPIXELS):
        for tap in range(TAPS):
            kernel[sub, sub * TAPS + tap, tap // 3, tap % 3] = 1
    return kernel


@dataclass(frozen=True)
class TapsMerger:
    """The merger with per-level 1x1 tap convolutions; weights are derived, not learned here."""

    mixers: tuple[Tensor, ...]
    shift: Tensor
    bias: Tensor | None

    @classmethod
    def of(cls, merger: nn.Conv2d, channels: Sequence[int]) -> TapsMerger:
        """From the paper's 3x3 `merger` over levels of `channels`; differentiable in its weight."""
        kernel = subpixel_kernel(merger.weight)
        mixers = tuple(
            part.permute(0, 2, 3, 1).reshape(SUBPIXELS * TAPS, -1, 1, 1)
            for part in torch.split(kernel, list(channels), dim=1)
        )
        bias = None if merger.bias is None else merger.bias.expand(SUBPIXELS)
        return cls(mixers, shift_kernel(merger.weight), bias)

    def __call__(self, features: Sequence[Tensor]) -> Tensor:
        """(B, C_l, H_l, W_l) fine to coarse -> logits (B, 1, 2H, 2W)."""
        size = list(features[0].shape[-2:])
        mixed = [F.conv2d(x, w) for x, w in zip(features, self.mixers, strict=True)]
        taps = mixed[0]
        for level in mixed[1:]:
            taps = taps + _upsample(level, size)
        return F.pixel_shuffle(F.conv2d(taps, self.shift, self.bias, padding=1), 2)

    def frozen(self) -> nn.Module:
        """The same computation with its weights as plain convolution parameters, for export."""
        return _FrozenTaps(self)


class _FrozenTaps(nn.Module):
    def __init__(self, merger: TapsMerger) -> None:
        super().__init__()
        self.mixers = nn.ModuleList(_conv(weight, None, 0) for weight in merger.mixers)
        self.shift = _conv(merger.shift, merger.bias, 1)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        size = list(features[0].shape[-2:])
        taps = self.mixers[0](features[0])
        for mixer, x in zip(list(self.mixers)[1:], features[1:], strict=True):
            taps = taps + _upsample(mixer(x), size)
        merged: Tensor = self.shuffle(self.shift(taps))
        return merged


def _conv(weight: Tensor, bias: Tensor | None, padding: int) -> nn.Conv2d:
    out, inputs, side, _ = weight.shape
    conv = nn.Conv2d(inputs, out, side, padding=padding, bias=bias is not None).to(weight)
    with torch.no_grad():
        conv.weight.copy_(weight)
        if bias is not None and conv.bias is not None:
            conv.bias.copy_(bias)
    return conv.requires_grad_(False)


def _upsample(x: Tensor, size: list[int]) -> Tensor:
    if list(x.shape[-2:]) == size:
        return x
    return F.interpolate(x, size=size, mode="bilinear", align_corners=True)
