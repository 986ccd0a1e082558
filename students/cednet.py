"""CEDNet with UPerNet's head for classes of pixels, or classifiers for images (CEDNet, Sec. 4)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from students import register
from students.cednet_backbone import CedNet, Plan, load_cednet
from students.cednet_blocks import ChannelNorm
from students.layers import Normalise, check_size
from students.registry import ModelSpec
from students.upernet import MEAN, STD, UperNet

NECK = 2048
"""Channels that a classifier averages."""


class _ClassHead(nn.Module):
    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.neck = nn.Sequential(nn.Conv2d(channels, NECK, 1), ChannelNorm(NECK), nn.GELU())
        self.norm = nn.LayerNorm(NECK, eps=1e-6)
        self.classify = nn.Linear(NECK, classes)

    def forward(self, c5: Tensor) -> Tensor:
        logits: Tensor = self.classify(self.norm(self.neck(c5).mean((2, 3))))
        return logits


class DeepClassifier(nn.Module):
    """A head on every stage's c5; the last one is kept (Sec. 4.1, deep supervision by the code).

    Without `auxiliary` and for 1000 classes 33,826,152 (T), 56,174,824 (S), 94,615,528 (B).
    """

    def __init__(self, backbone: CedNet, classes: int = 1000) -> None:
        super().__init__()
        self.normalise = Normalise(MEAN, STD)
        self.backbone = backbone
        coarsest = backbone.channels[-1]
        self.head = _ClassHead(coarsest, classes)
        others = (_ClassHead(coarsest, classes) for _ in backbone.stages[1:])
        self.auxiliary = nn.ModuleList(others)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W), RGB 0-255 -> logits (B, classes)."""
        check_size(images, 32, "CEDNet")
        logits: Tensor = self.head(self.backbone(self.normalise(images))[-1])
        return logits

    def outputs(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits of the last stage, and of each before it: their mean loss is what trains."""
        check_size(images, 32, "CEDNet")
        *earlier, last = self.backbone.trace(self.normalise(images)).stages
        found = [head(levels[-1]) for head, levels in zip(self.auxiliary, earlier, strict=True)]
        return self.head(last[-1]), found


_T = Plan((96, 192, 352, 512), 3, ((2, 4, 2),) * 3, drop_path=0.2)
VARIANTS = {
    "cednet_n": (Plan((32, 64, 96, 128), 1, ((1, 2, 1),) * 3), 64),
    "cednet_t": (_T, 512),
    "cednet_s": (replace(_T, blocks=((2, 7, 2),) * 4, drop_path=0.3), 512),
    "cednet_b": (Plan((128, 256, 448, 704), 3, ((2, 7, 2),) * 4, drop_path=0.4), 512),
}
"""Backbones (Sec. 3.4; N is ours), with the authors' rates for segmentation, and head widths."""


def _built(
    name: str,
    weights: str | Path | None,
    classes: int,
    *,
    stages: int | None = None,
    head_width: int | None = None,
    aux: bool = True,
    **changes: Any,
) -> UperNet:
    """`stages` repeats the first stage so often; `changes` are fields of `Plan`, unless None."""
    plan, width = VARIANTS[name]
    plan = replace(plan, **{key: value for key, value in changes.items() if value is not None})
    if stages is not None:
        plan = replace(plan, blocks=tuple(plan.blocks[:1]) * stages)
    backbone = CedNet(plan)
    load_cednet(backbone, weights)
    return UperNet(name, backbone, classes, head_width or width, aux)


def _spec(name: str, section: str, side: int = 512) -> ModelSpec:
    return ModelSpec(
        name=name,
        task="semantic",
        height=side,
        width=side,
        multiple_of=32,
        mean=MEAN,
        std=STD,
        output="class-logits",
        source=f"CEDNet (arXiv 2302.06052), {section}; zhanggang001/CEDNet 305d637",
    )


@register(_spec("cednet_t", "Sec. 3.4, T"))
def cednet_t(weights: str | Path | None = None, classes: int = 150, **options: Any) -> UperNet:
    """CEDNet-T; `weights` fills the backbone (file or None), `options` as `_built` has them."""
    return _built("cednet_t", weights, classes, **options)


@register(_spec("cednet_s", "Sec. 3.4, S"))
def cednet_s(weights: str | Path | None = None, classes: int = 150, **options: Any) -> UperNet:
    """CEDNet-S: a stage more than T, and longer ones."""
    return _built("cednet_s", weights, classes, **options)


@register(_spec("cednet_b", "Sec. 3.4, B"))
def cednet_b(weights: str | Path | None = None, classes: int = 150, **options: Any) -> UperNet:
    """CEDNet-B: S, and wider."""
    return _built("cednet_b", weights, classes, **options)


@register(_spec("cednet_n", "Sec. 3, a small one of ours", 256))
def cednet_n(weights: str | Path | None = None, classes: int = 150, **options: Any) -> UperNet:
    """CEDNet-N: three stages small enough to train on a CPU."""
    return _built("cednet_n", weights, classes, **options)
