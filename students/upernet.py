"""UPerNet on CEDNet: its head, an auxiliary one that trains along (CEDNet, Sec. 4.4).

Heads give logits at the size of their finest input; the model resizes them to the image's. The
authors' semantic models have all of this behind the backbone, pyramid included: only so do their
sizes come out, though Table 3 says that no fusion follows CEDNet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from students.cednet_norm import with_pointwise_norms
from students.layers import Normalise, check_size, conv_bn, resized

if TYPE_CHECKING:
    from students.cednet_backbone import CedNet, Stage

MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)
POOLS = (1, 2, 3, 6)
"""Bins a side of the pooled branches."""
HALF = 4
"""Blocks at 1/16 in the lower half of a stage that layer-wise decay takes for two."""
UPPER = ("to_coarse", "coarse", "decoder")
"""What else is in the upper half."""
DROPOUT = 0.1
"""Share of channels that the last layer has to do without while training."""


def match(x: Tensor, other: Tensor) -> Tensor:
    """`x` (B, C, h, w) at the height and width of `other`, bilinearly between pixel centres."""
    return resized(x, other.shape[-2:], align_corners=False)


def pooled(x: Tensor, bins: int) -> Tensor:
    """`F.adaptive_avg_pool2d(x, bins)`, which delegates leave: a constant layer for each axis."""
    for _ in range(2):
        ends = [(i * x.shape[-1] // bins, -(-(i + 1) * x.shape[-1] // bins)) for i in range(bins)]
        shares = [[(a <= j < b) / (b - a) for j in range(x.shape[-1])] for a, b in ends]
        x = F.linear(x, x.new_tensor(shares)).transpose(2, 3)
    return x


def _classifier(width: int, classes: int) -> nn.Sequential:
    return nn.Sequential(nn.Dropout2d(DROPOUT), nn.Conv2d(width, classes, 1))


def initialise(head: nn.Module) -> None:
    """He normal for convolutions without a bias, N(0, 0.01) for those that give the classes."""
    for module in head.modules():
        if not isinstance(module, nn.Conv2d):
            continue
        if module.bias is None:
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        else:
            nn.init.normal_(module.weight, 0.0, 0.01)
            nn.init.zeros_(module.bias)


class PooledContext(nn.Module):
    """The coarsest map beside four pooled views of itself, joined by a 3x3 convolution."""

    def __init__(self, channels: int, width: int, pools: Sequence[int]) -> None:
        super().__init__()
        self.pools = tuple(pools)
        self.branches = nn.ModuleList(conv_bn(channels, width, 1) for _ in self.pools)
        self.fuse = conv_bn(channels + len(self.pools) * width, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, width, h, w)."""
        views = [
            match(branch(pooled(x, bins)), x)
            for branch, bins in zip(self.branches, self.pools, strict=True)
        ]
        found: Tensor = self.fuse(torch.cat([x, *views], 1))
        return found


class UPerHead(nn.Module):
    """Pooled context at the top, a pyramid down from it, all levels joined at the finest.

    29,777,046 parameters on CEDNet-T and S, 31,153,302 on B, for 150 classes at width 512. A batch
    of one image cannot train it: the view pooled to one pixel is batch-normed.
    """

    def __init__(
        self,
        channels: Sequence[int],
        classes: int,
        width: int = 512,
        pools: Sequence[int] = POOLS,
    ) -> None:
        super().__init__()
        *finer, coarsest = channels
        self.context = PooledContext(coarsest, width, pools)
        self.laterals = nn.ModuleList(conv_bn(inputs, width, 1) for inputs in finer)
        self.smooth = nn.ModuleList(conv_bn(width, width, 3) for _ in finer)
        self.fuse = conv_bn(len(channels) * width, width, 3)
        self.classify = _classifier(width, classes)
        initialise(self)

    def forward(self, levels: list[Tensor]) -> Tensor:
        """Levels (B, C_i, H_i, W_i), fine to coarse -> logits (B, classes, H_0, W_0)."""
        *finer, coarsest = levels
        pyramid = [self.context(coarsest)]
        for lateral, x in zip(reversed(self.laterals), reversed(finer), strict=True):
            side = lateral(x)
            pyramid.insert(0, side + match(pyramid[0], side))
        *merged, top = pyramid
        smooth = [layer(x) for layer, x in zip(self.smooth, merged, strict=True)]
        joined = [match(x, levels[0]) for x in [*smooth, top]]
        logits: Tensor = self.classify(self.fuse(torch.cat(joined, 1)))
        return logits


class FcnHead(nn.Module):
    """One 3x3 convolution and the classes, at the size of its input."""

    def __init__(self, channels: int, classes: int, width: int = 256) -> None:
        super().__init__()
        self.layers = conv_bn(channels, width, 3)
        self.classify = _classifier(width, classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, h, w) -> logits (B, classes, h, w)."""
        logits: Tensor = self.classify(self.layers(x))
        return logits


class UperNet(nn.Module):
    """CEDNet with UPerNet's head and, to train it, one on what the last stage begins from.

    For 150 classes 60,976,812 parameters (T), 83,325,484 (S), 122,896,684 (B): the paper's 61, 83
    and 123 million, `auxiliary` included. It may be set to None: `forward` does without.
    """

    strides = (4, 8, 16, 32)

    def __init__(
        self,
        name: str,
        backbone: CedNet,
        classes: int = 150,
        head_width: int = 512,
        aux: bool = True,
    ) -> None:
        super().__init__()
        self.name = name
        self.feature_channels = backbone.channels
        self.normalise = Normalise(MEAN, STD)
        self.backbone = backbone
        self.head = UPerHead(backbone.channels, classes, head_width)
        guide = backbone.channels[1]
        self.auxiliary = FcnHead(guide, classes, head_width // 2) if aux else None

    @property
    def layers(self) -> tuple[tuple[str, ...], ...]:
        """Parts that layer-wise decay tells apart: stem, its blocks at 1/4, every stage.

        A stage of over four blocks at 1/16 (S and B) is two parts, the upper one from the fifth
        on. So in the authors' code for detection; for segmentation their S and B count two parts
        too few, which leaves the last stage at the full rate.
        """
        stem = "backbone.stem"
        blocks = f"{stem}.layers.{len(self.backbone.stem.layers) - 1}"
        found: list[tuple[str, ...]] = [(stem,), (blocks, f"{stem}.down")]
        for number, stage in enumerate(self.backbone.stages):
            name, depth = f"backbone.stages.{number}", len(cast("Stage", stage).middle)
            found.append((name,))
            if depth > HALF:
                rest = [f"middle.{i}" for i in range(HALF, depth)]
                found.append(tuple(f"{name}.{part}" for part in (*rest, *UPPER)))
        return tuple(found)

    def features(self, images: Tensor) -> list[Tensor]:
        """c2 of the stem, c3, c4, c5 of the last stage: at 1/4, 1/8, 1/16 and 1/32."""
        check_size(images, 32, self.name)
        levels: list[Tensor] = self.backbone(self.normalise(images))
        return levels

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, classes, H, W)."""
        return match(self.head(self.features(images)), images)

    def export_forms(self) -> dict[str, nn.Module]:
        """Equal modules: means over channels as convolutions, which every delegate takes, or means.

        Training keeps the means, which autocast leaves in float32.
        """
        return {"pointwise_norms": with_pointwise_norms(self), "paper": self}

    def outputs(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits as of `forward`, and a list of the auxiliary ones, of the same shape."""
        check_size(images, 32, self.name)
        c2, stages, guide = self.backbone.trace(self.normalise(images))
        logits = match(self.head([c2, *stages[-1]]), images)
        if self.auxiliary is None:
            return logits, []
        return logits, [match(self.auxiliary(guide), images)]
