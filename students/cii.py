"""CII: salient objects by a U-shape whose connections share one interactor (CII + RGC, Sec. 3)."""

from __future__ import annotations

import functools
from pathlib import Path

from torch import Tensor, nn

from students import interactors, register
from students.layers import Normalise, check_size, conv_bn, resized
from students.registry import ModelSpec
from students.resnet import Depth, ResNet, load_resnet

MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)
WIDTH = 64
"""Channels of every scale after the backbone."""


def _spec(name: str, section: str) -> ModelSpec:
    return ModelSpec(
        name=name,
        task="salient_object",
        height=352,
        width=352,
        multiple_of=32,
        mean=MEAN,
        std=STD,
        output="logits",
        source=f"CII + RGC, {section}; zal0302/CII befc774",
    )


class Merge(nn.Module):
    """One step down the U: refine, upsample, refine, add the connection, mix."""

    def __init__(self) -> None:
        super().__init__()
        self.before = conv_bn(WIDTH, WIDTH, 3)
        self.after = conv_bn(WIDTH, WIDTH, 3, relu=False)
        self.mix = conv_bn(WIDTH, WIDTH, 1, relu=False)

    def forward(self, coarse: Tensor, connection: Tensor) -> Tensor:
        """(B, 64, h, w) and (B, 64, H, W) -> (B, 64, H, W)."""
        up = resized(self.before(coarse), connection.shape[-2:])
        merged: Tensor = self.mix(self.after(up) + connection)
        return merged


class Cii(nn.Module):
    """ResNet, 1x1 convolutions to 64 channels, an interactor, a top-down pathway, one map.

    With `interactor="rgc_dagger"` (the default) `cii_r18` has 11,888,513 parameters and `cii_r50`
    24,482,561. ResNet-50 has a stage more at the top, in the authors' code and its counts.
    """

    feature_channels = (WIDTH,) * 5
    strides = (2, 4, 8, 16, 32)
    layers = ("backbone", *(f"backbone.layer{number}" for number in range(1, 5)))

    def __init__(self, depth: Depth, interactor: str = "rgc_dagger") -> None:
        super().__init__()
        self.name = f"cii_r{depth}"
        self.normalise = Normalise(MEAN, STD)
        self.backbone = ResNet(depth)
        channels = self.backbone.channels
        self.reduce = nn.ModuleList(conv_bn(inputs, WIDTH, 1) for inputs in channels)
        self.interactor = interactors.build(interactor, WIDTH, len(channels))
        plain = functools.partial(conv_bn, WIDTH, WIDTH, relu=False)
        top = [conv_bn(WIDTH, WIDTH, 3), plain(3), plain(1)]
        self.top = nn.Sequential(*(top if depth == 50 else []))
        self.merges = nn.ModuleList(Merge() for _ in channels[1:])
        self.last = nn.Sequential(conv_bn(WIDTH, WIDTH, 3), conv_bn(WIDTH, WIDTH, 3, relu=False))
        self.head = nn.Conv2d(WIDTH, 1, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")

    def features(self, images: Tensor) -> list[Tensor]:
        """The connections after the interactor: five maps of 64 channels, fine to coarse."""
        check_size(images, 32, self.name)
        taps = self.backbone(self.normalise(images))
        reduced = [reduce(tap) for reduce, tap in zip(self.reduce, taps, strict=True)]
        found: list[Tensor] = self.interactor(reduced)
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, 1, H, W) of being part of the salient object."""
        *finer, coarse = self.features(images)
        merged: Tensor = self.top(coarse)
        for merge, connection in zip(self.merges, reversed(finer), strict=True):
            merged = merge(merged, connection)
        return resized(self.head(self.last(merged)), images.shape[-2:])


def _built(depth: Depth, weights: str | Path | None, interactor: str) -> Cii:
    student = Cii(depth, interactor)
    load_resnet(student.backbone, weights)
    return student


@register(_spec("cii_r18", "Sec. 3, ResNet-18"))
def cii_r18(weights: str | Path | None = None, interactor: str = "rgc_dagger") -> Cii:
    """CII on ResNet-18; `weights` fills the backbone (file, `torchvision` or None)."""
    return _built(18, weights, interactor)


@register(_spec("cii_r50", "Sec. 3, ResNet-50"))
def cii_r50(weights: str | Path | None = None, interactor: str = "rgc_dagger") -> Cii:
    """CII on ResNet-50; `weights` fills the backbone (file, `torchvision` or None)."""
    return _built(50, weights, interactor)
