"""ZigZagNet: semantic segmentation by a ResNet and a neck that goes down and up (Sec. 3 to 5).

There is no public code of the semantic network; the neck of the authors' detector differs from the
paper's and is `preset=author`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from students import register
from students.layers import Normalise, check_size
from students.registry import ModelSpec
from students.resnet import Depth, ResNet, load_resnet
from students.zigzag import Design, ZigZag

MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)
CLASSES = 21
"""PASCAL VOC's twenty and the background."""
AUTHOR: dict[str, Any] = {
    "context": "conv", "combine": "author", "fuse": "mul", "zigzag": "up", "narrow": True,
    "post": True,
}  # fmt: skip
"""The neck of the authors' code: no region context, products of neighbours' neighbours only."""
PRESETS: dict[str, dict[str, Any]] = {"paper": {}, "author": AUTHOR}
LIGHT = {"kernels": "depthwise", "share": "stages", "norm": "batch", "resize": "bilinear"}
"""What makes the paper's neck fit for a phone; LiteRT's CPU delegate leaves nearest resizes out."""


def _spec(name: str, side: int, section: str) -> ModelSpec:
    return ModelSpec(
        name=name,
        task="semantic",
        height=side,
        width=side,
        multiple_of=32,
        mean=MEAN,
        std=STD,
        output="class-logits",
        source=f"Lin et al., ZigZagNet (CVPR 2019), {section}; no public code of segmentation",
    )


class ZigZagNet(nn.Module):
    """ResNet's res2 to res5, the neck, and a 1x1 convolution on the neck's finest map.

    The finest map needs nothing of the last way up but its own level, so that the neck leaves out
    the rest unless `outputs=all` (for other heads); out is what would never learn here.
    """

    strides = (4, 8, 16, 32)

    def __init__(self, depth: Depth, classes: int, design: Design) -> None:
        super().__init__()
        self.name = f"zigzagnet_r{depth}"
        self.feature_channels = (design.width,) * len(self.strides)
        self.normalise = Normalise(MEAN, STD)
        self.backbone = ResNet(depth)
        self.neck = ZigZag(self.backbone.channels[-len(self.strides) :], design)
        self.head = nn.Conv2d(design.width, classes, 1)
        nn.init.normal_(self.head.weight, std=0.01)

    def features(self, images: Tensor) -> list[Tensor]:
        """The neck's four maps, fine to coarse."""
        check_size(images, 32, self.name)
        taps = self.backbone(self.normalise(images))
        found: list[Tensor] = self.neck(taps[-len(self.strides) :])
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, classes, H, W) of every class, the background first."""
        logits = self.head(self.features(images)[0])
        return F.interpolate(logits, images.shape[-2:], mode="bilinear", align_corners=False)


def _built(
    depth: Depth, weights: str | Path | None, classes: int, preset: str, switches: dict[str, Any]
) -> ZigZagNet:
    if preset not in PRESETS:
        raise ValueError(f"preset is one of {', '.join(PRESETS)}; got {preset!r}")
    given = {name: value for name, value in switches.items() if value is not None}
    chosen = {"outputs": "finest", **PRESETS[preset], **given}
    student = ZigZagNet(depth, classes, Design(**chosen))
    load_resnet(student.backbone, weights)
    return student


@register(_spec("zigzagnet_r101", 480, "Sec. 5, ResNet-101"))
def zigzagnet_r101(
    weights: str | Path | None = None,
    classes: int = CLASSES,
    preset: str = "paper",
    **switches: Any,
) -> ZigZagNet:
    """ZigZagNet on ResNet-101; `weights` fills the backbone (file, `torchvision` or None).

    `switches` are fields of `students.zigzag.Design`, over those of the preset `paper` or `author`;
    None leaves the preset's.
    """
    return _built(101, weights, classes, preset, switches)


@register(_spec("zigzagnet_r50", 480, "Sec. 5, on ResNet-50"))
def zigzagnet_r50(
    weights: str | Path | None = None,
    classes: int = CLASSES,
    preset: str = "paper",
    **switches: Any,
) -> ZigZagNet:
    """ZigZagNet on ResNet-50; arguments as for `zigzagnet_r101`."""
    return _built(50, weights, classes, preset, switches)


@register(_spec("zigzagnet_r18", 256, "made light: ResNet-18"))
def zigzagnet_r18(
    weights: str | Path | None = None,
    classes: int = CLASSES,
    preset: str = "paper",
    **switches: Any,
) -> ZigZagNet:
    """ZigZagNet on ResNet-18, 64 wide, its RCEs depthwise and shared by the stages.

    Arguments as for `zigzagnet_r101`; with `preset=author` nothing but the width is light.
    """
    light = {"width": 64, **(LIGHT if preset == "paper" else {})}
    given = {name: value for name, value in switches.items() if value is not None}
    return _built(18, weights, classes, preset, {**light, **given})
