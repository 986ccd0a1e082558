"""GALD-Net: gather globally, then let every position decide how much of it to keep (GALD)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from students import global_context, register
from students.dilated import Depth, DilatedResNet, load_dilated
from students.global_context import Grouped, depthwise_down, with_pooled_norms
from students.layers import Normalise, check_size, conv_bn, resized
from students.registry import ModelSpec

MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)
LEAST = 120
"""Pixels a side: at stride 8 the three valid convolutions of a mask need 15."""

Arrangement = Literal["gald", "ldga", "parallel"]
Mask = Literal["conv", "bilinear", "average"]
Gate = Literal["paper", "authors"]


def _spec(name: str, section: str, side: int) -> ModelSpec:
    return ModelSpec(
        name=name,
        task="semantic",
        height=side,
        width=side,
        multiple_of=8,
        mean=MEAN,
        std=STD,
        output="class-logits",
        least=LEAST,
        source=f"GALD-Net, {section}; lxtGH/GALD-Net",
    )


class LocalDistribution(nn.Module):
    """LD: a mask per channel and position, estimated at an eighth of the size (Eq. 1, 2).

    F (1 + M) as printed, or F (2 + M), which the authors' code computes. The mask's last ReLU, of
    the code alone, keeps M at or above one half.
    """

    def __init__(self, width: int, mask: Mask, gate: Gate) -> None:
        super().__init__()
        if mask not in ("conv", "bilinear", "average"):
            raise ValueError(f"mask is conv, bilinear or average, got {mask!r}")
        if gate not in ("paper", "authors"):
            raise ValueError(f"gate is paper or authors, got {gate!r}")
        self.mask = mask
        self.base = 1.0 if gate == "paper" else 2.0
        steps = [depthwise_down(width) for _ in range(3)] if mask == "conv" else []
        self.steps = nn.Sequential(*steps)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape."""
        size = (max(1, x.shape[-2] // 8), max(1, x.shape[-1] // 8))
        if self.mask == "conv":
            small = self.steps(x)
        elif self.mask == "bilinear":
            small = resized(x, size)
        else:
            small = F.adaptive_avg_pool2d(x, size)
        return x * (self.base + resized(small, x.shape[-2:]).sigmoid())


class GaldBlock(nn.Module):
    """Global aggregation and local distribution in one of three arrangements (Fig. 3 e-g)."""

    def __init__(
        self,
        width: int,
        context: str,
        local: bool,
        arrangement: Arrangement,
        mask: Mask,
        gate: Gate,
    ) -> None:
        super().__init__()
        if arrangement not in ("gald", "ldga", "parallel"):
            raise ValueError(f"arrangement is gald, ldga or parallel, got {arrangement!r}")
        self.arrangement = arrangement
        self.context = global_context.build(context, width)
        self.local = LocalDistribution(width, mask, gate) if local else nn.Identity()
        self.join = conv_bn(2 * width, width, 1) if arrangement == "parallel" else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape."""
        if self.arrangement == "parallel":
            found: Tensor = self.join(torch.cat([self.local(x), self.context(x)], 1))
        elif self.arrangement == "ldga":
            found = self.context(self.local(x))
        else:
            found = self.local(self.context(x))
        return found


class Gald(nn.Module):
    """Dilated ResNet, the GALD block between 3x3 convolutions, a class for every pixel.

    With 19 classes `gald_r50` has 47,672,787 parameters (52,402,662 while it trains) and
    `gald_r101` 66,664,915 (71,394,790).
    """

    strides = (4, 8, 8, 8)
    layers = ("backbone.stem", *(f"backbone.layer{number}" for number in range(1, 5)))

    def __init__(
        self,
        depth: Depth,
        classes: int,
        *,
        width: int = 512,
        context: str = "cgnl",
        local: bool = True,
        arrangement: Arrangement = "gald",
        mask: Mask = "conv",
        gate: Gate = "paper",
        aux: bool = True,
    ) -> None:
        super().__init__()
        self.name = f"gald_r{depth}"
        self.normalise = Normalise(MEAN, STD)
        self.backbone = DilatedResNet(depth)
        *_, before, last = self.backbone.channels
        self.feature_channels = (*self.backbone.channels[:3], width)
        self.before = conv_bn(last, width, 3)
        self.block = GaldBlock(width, context, local, arrangement, mask, gate)
        self.after = conv_bn(width, width, 3)
        self.mix = conv_bn(last + width, width, 3)
        self.head = nn.Conv2d(width, classes, 1)
        self.auxiliary = _auxiliary(before, width, classes) if aux else None
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.normal_(self.head.weight, 0.0, 0.01)

    def features(self, images: Tensor) -> list[Tensor]:
        """The backbone's first three stages and the head's last features; strides 4, 8, 8, 8."""
        *taps, last = self._taps(images)
        return [*taps, self._headed(last)]

    def forward(self, images: Tensor) -> Tensor:
        """Class logits (B, C, H, W)."""
        found: Tensor = self.head(self._headed(self._taps(images)[-1]))
        return resized(found, images.shape[-2:])

    def export_forms(self) -> dict[str, nn.Module]:
        """Equal modules: CGNL's group norm as the library has it, or as global means.

        Training keeps the former, which autocast leaves in float32.
        """
        if not any(isinstance(module, Grouped) for module in self.modules()):
            return {"paper": self}
        return {"pooled_norm": with_pooled_norms(self), "paper": self}

    def outputs(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """`forward`, and the logits of the auxiliary head on the third stage; for training."""
        taps = self._taps(images)
        heads = [self.head(self._headed(taps[-1]))]
        if self.auxiliary is not None:
            heads.append(self.auxiliary(taps[2]))
        main, *others = [resized(each, images.shape[-2:]) for each in heads]
        return main, others

    def _taps(self, images: Tensor) -> list[Tensor]:
        check_size(images, 8, self.name, LEAST)
        found: list[Tensor] = self.backbone(self.normalise(images))
        return found

    def _headed(self, last: Tensor) -> Tensor:
        gathered = self.after(self.block(self.before(last)))
        found: Tensor = self.mix(torch.cat([last, gathered], 1))
        return found


def _auxiliary(inputs: int, width: int, classes: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, width, 3, padding=1),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Dropout2d(0.1),
        nn.Conv2d(width, classes, 1),
    )


def _built(
    depth: Depth, weights: str | Path | None, classes: int, width: int, options: dict[str, object]
) -> Gald:
    student = Gald(depth, classes, width=width, **options)  # type: ignore[arg-type]
    load_dilated(student.backbone, weights)
    return student


@register(_spec("gald_r50", "Sec. 3, ResNet-50", 768))
def gald_r50(
    weights: str | Path | None = None, classes: int = 19, width: int = 512, **options: object
) -> Gald:
    """GALD-Net on ResNet-50; `options` are those of `Gald`."""
    return _built(50, weights, classes, width, options)


@register(_spec("gald_r101", "Sec. 3, ResNet-101", 768))
def gald_r101(
    weights: str | Path | None = None, classes: int = 19, width: int = 512, **options: object
) -> Gald:
    """GALD-Net on ResNet-101; `options` are those of `Gald`."""
    return _built(101, weights, classes, width, options)


@register(_spec("gald_r18", "Sec. 3, on ResNet-18 and narrow, not of the paper", 256))
def gald_r18(
    weights: str | Path | None = None, classes: int = 19, width: int = 128, **options: object
) -> Gald:
    """GALD-Net on ResNet-18 with a narrow head; `options` are those of `Gald`."""
    return _built(18, weights, classes, width, options)
