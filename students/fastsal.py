"""FastSal (C) and (A): two light decoders over all 18 MobileNetV2 taps (FastSal, Sec. III).

Both reduce the taps to four groups of one resolution each by sub-pixel upsampling. (C) lifts them
to the teacher's widths with its adaptation layers, concatenates and merges; (A) reduces them and
adds its way up from coarse to fine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torchvision.models.mobilenetv2 import InvertedResidual

from students import register
from students.backbones import MobileNetV2, load_mobilenet_v2
from students.initialise import Init, initialise
from students.layers import Normalise, check_size
from students.registry import ModelSpec
from students.subpixel import TapsMerger, paper_merge, subpixel_conv

Skip = Literal["paper", "authors"]
Form = Literal["taps", "paper"]

MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)
GROUP_CHANNELS = (28, 24, 136, 520)
TEACHER_CHANNELS = (128, 256, 512, 512)


def _spec(name: str, section: str) -> ModelSpec:
    return ModelSpec(
        name=name,
        task="saliency",
        height=192,
        width=256,
        multiple_of=32,
        mean=MEAN,
        std=STD,
        output="logits",
        source=f"Hu and McGuinness, FastSal (ICPR 2020), {section}; feiyanhu/FastSal ffba9a3",
    )


class FastSal(nn.Module):
    """Backbone and tap groups that (C) and (A) share. Input (B, 3, H, W), RGB 0-255."""

    name: str
    feature_channels: tuple[int, ...]
    strides: tuple[int, ...] = (2, 4, 8, 16)

    def __init__(self) -> None:
        super().__init__()
        self.normalise = Normalise(MEAN, STD)
        self.backbone = MobileNetV2()
        self.shuffle = nn.PixelShuffle(2)

    def groups(self, images: Tensor) -> list[Tensor]:
        """The 18 taps as four groups: 28, 24, 136, 520 channels at 1/2, 1/4, 1/8, 1/16."""
        check_size(images, 32, self.name)
        taps = self.backbone(self.normalise(images))
        joined = [self.shuffle(torch.cat(taps[a:b], 1)) for a, b in MobileNetV2.GROUPS]
        # The only tap at 1/2 needs no upsampling and joins its group as it is, first.
        return [torch.cat([taps[0], joined[0]], 1), *joined[1:]]


def adaptation(inputs: tuple[int, ...], outputs: tuple[int, ...]) -> nn.ModuleList:
    """A 1x1 convolution and ReLU for each group."""
    return nn.ModuleList(
        nn.Sequential(nn.Conv2d(i, o, 1), nn.ReLU()) for i, o in zip(inputs, outputs, strict=True)
    )


class FastSalC(FastSal):
    """FastSal (C): adapt, upsample, concatenate, merge. 2,574,049 parameters, 0.617 GMAC.

    `form="paper"` runs the merger as printed: bilinear (align_corners) upsampling of 1,280
    channels, PixelShuffle, 3x3 convolution. `form="taps"` is equal up to rounding, holds the same
    parameters and never makes the upsampled tensors (see `students.subpixel`).
    """

    name = "fastsal_c"
    feature_channels = TEACHER_CHANNELS

    def __init__(self, form: Form = "taps") -> None:
        super().__init__()
        self.form = form
        self.adaptation = adaptation(GROUP_CHANNELS, TEACHER_CHANNELS)
        self.merger = nn.Conv2d(sum(TEACHER_CHANNELS) // 4, 1, 3, padding=1)

    def features(self, images: Tensor) -> list[Tensor]:
        """Adapted groups at the teacher's widths and sizes: the student's side of Eq. 1."""
        groups = self.groups(images)
        return [adapt(x) for adapt, x in zip(self.adaptation, groups, strict=True)]

    def forward(self, images: Tensor) -> Tensor:
        """Saliency logits (B, 1, H, W)."""
        features = self.features(images)
        if self.form == "paper":
            return paper_merge(features, self.merger.weight, self.merger.bias)
        return TapsMerger.of(self.merger, self.feature_channels)(features)

    def export_forms(self) -> dict[str, nn.Module]:
        """Equal modules: merger weights as constants of the taps form, or the graph as printed."""
        merger = TapsMerger.of(self.merger, self.feature_channels)
        return {
            "taps": _Merged(self, merger.frozen()),
            "paper": _Merged(self, _PaperMerger(self.merger)),
        }


class _Merged(nn.Module):
    def __init__(self, student: FastSalC, merger: nn.Module) -> None:
        super().__init__()
        self.student = student
        self.merger = merger

    def forward(self, images: Tensor) -> Tensor:
        merged: Tensor = self.merger(self.student.features(images))
        return merged


class _PaperMerger(nn.Module):
    def __init__(self, merger: nn.Conv2d) -> None:
        super().__init__()
        self.merger = merger

    def forward(self, features: list[Tensor]) -> Tensor:
        return paper_merge(features, self.merger.weight, self.merger.bias)


class AdditionBlock(nn.Module):
    """Inverted residual that first adds the finer output of the level below (Fig. 3).

    y = x (+ previous); `skip="paper"`: y + f(y), the original block; `skip="authors"`:
    2y + f(y), their code adds y once more around a block that already has its skip.
    """

    def __init__(self, channels: int, skip: Skip) -> None:
        super().__init__()
        self.skip = skip
        self.block = InvertedResidual(channels, channels, stride=1, expand_ratio=2)

    def forward(self, x: Tensor, previous: Tensor | None = None) -> Tensor:
        y = x if previous is None else x + previous
        z: Tensor = self.block(y)
        return z if self.skip == "paper" else y + z


class FastSalA(FastSal):
    """FastSal (A): reduce, then add from coarse to fine. 3,646,715 parameters, 0.638 GMAC."""

    name = "fastsal_a"
    feature_channels = GROUP_CHANNELS
    WIDTHS = (8, 32, 128, 512)

    def __init__(self, skip: Skip = "paper") -> None:
        super().__init__()
        self.adaptation = adaptation(GROUP_CHANNELS, self.WIDTHS)
        self.blocks = nn.ModuleList(AdditionBlock(width, skip) for width in self.WIDTHS)
        self.head = nn.Conv2d(2, 1, 3, padding=1)

    def features(self, images: Tensor) -> list[Tensor]:
        """Tap groups before adaptation; hint pretraining lifts them with layers of its own."""
        return self.groups(images)

    def decode(self, images: Tensor) -> Tensor:
        """What the finest block gives, before its own sub-pixel upsampling: (B, 8, H/2, W/2)."""
        adapted = [a(x) for a, x in zip(self.adaptation, self.groups(images), strict=True)]
        coarse, *finer = zip(reversed(self.blocks), reversed(adapted), strict=True)
        decoded: Tensor = coarse[0](coarse[1])
        for block, x in finer:
            decoded = block(x, self.shuffle(decoded))
        return decoded

    def forward(self, images: Tensor) -> Tensor:
        """Saliency logits (B, 1, H, W)."""
        logits: Tensor = self.head(self.shuffle(self.decode(images)))
        return logits

    def export_forms(self) -> dict[str, nn.Module]:
        """Equal modules: the head's convolution before the last upsampling, or after, as printed.

        Before it, the convolution gives four channels at half the size instead of one at full size:
        no 2-channel tensor at full size, and runtimes pad one output channel to four or eight.
        """
        return {"subpixel_head": _SubpixelHead(self), "paper": self}


class _SubpixelHead(nn.Module):
    def __init__(self, student: FastSalA) -> None:
        super().__init__()
        self.student = student
        self.head = subpixel_conv(student.head)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.student.shuffle(self.head(self.student.decode(images)))
        return logits


@register(_spec("fastsal_c", "Sec. III-C, concatenation"))
def fastsal_c(
    weights: str | Path | None = None, init: Init = "authors", form: Form = "taps"
) -> FastSalC:
    """FastSal (C); `weights` fills the backbone (file, `torchvision` or None)."""
    student = FastSalC(form)
    initialise(student, init)
    load_mobilenet_v2(student.backbone, weights)
    return student


@register(_spec("fastsal_a", "Sec. III-C, addition"))
def fastsal_a(
    weights: str | Path | None = None, init: Init = "authors", skip: Skip = "paper"
) -> FastSalA:
    """FastSal (A); `weights` fills the backbone (file, `torchvision` or None)."""
    student = FastSalA(skip)
    initialise(student, init)
    load_mobilenet_v2(student.backbone, weights)
    return student
