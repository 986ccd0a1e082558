"""CEDNet as a classifier of images, with a head on every stage (CEDNet, Sec. 4.1).

What its backbone learns on ImageNet is what every other CEDNet starts from: their `weights` take a
checkpoint of these.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from students import register
from students.cednet import build_backbone
from students.cednet_backbone import CedNet
from students.cednet_norm import ChannelNorm, with_pointwise_norms
from students.layers import Normalise, check_size
from students.registry import ModelSpec
from students.upernet import MEAN, STD

NECK = 2048
"""Channels that a classifier averages."""


class ClassHead(nn.Module):
    """1x1 convolution, norm and GELU, the mean over the map, norm, classes.

    The mean keeps its two axes of one pixel, so that the last layer is a convolution too and a
    classifier's output is a map of one pixel to everything that handles maps.
    """

    def __init__(self, channels: int, classes: int, neck: int) -> None:
        super().__init__()
        self.neck = nn.Sequential(nn.Conv2d(channels, neck, 1), ChannelNorm(neck), nn.GELU())
        self.norm = ChannelNorm(neck)
        self.classify = nn.Conv2d(neck, classes, 1)

    def forward(self, c5: Tensor) -> Tensor:
        """(B, C3, h, w) -> (B, classes, 1, 1)."""
        logits: Tensor = self.classify(self.norm(self.neck(c5).mean((2, 3), keepdim=True)))
        return logits


class DeepClassifier(nn.Module):
    """A head on every stage's c5; the last one is kept (Sec. 4.1, deep supervision by the code).

    Without `auxiliary` and for 1000 classes 33,826,152 (T), 56,174,824 (S), 94,615,528 (B).
    """

    def __init__(
        self, backbone: CedNet, classes: int = 1000, neck: int = NECK, aux: bool = True
    ) -> None:
        super().__init__()
        self.normalise = Normalise(MEAN, STD)
        self.backbone = backbone
        coarsest = backbone.channels[-1]
        self.head = ClassHead(coarsest, classes, neck)
        earlier = backbone.stages[1:] if aux else ()
        self.auxiliary = nn.ModuleList(ClassHead(coarsest, classes, neck) for _ in earlier)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W), RGB 0-255 -> logits (B, classes, 1, 1)."""
        check_size(images, 32, "CEDNet")
        logits: Tensor = self.head(self.backbone(self.normalise(images))[-1])
        return logits

    def export_forms(self) -> dict[str, nn.Module]:
        """Equal modules, as of every CEDNet: see `UperNet.export_forms`."""
        return {"pointwise_norms": with_pointwise_norms(self), "paper": self}

    def outputs(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits of the last stage and, if there are auxiliary heads, of each before it."""
        check_size(images, 32, "CEDNet")
        *earlier, last = self.backbone.trace(self.normalise(images)).stages
        found = [head(levels[-1]) for head, levels in zip(self.auxiliary, earlier, strict=False)]
        return self.head(last[-1]), found


def _spec(size: str, section: str) -> ModelSpec:
    return ModelSpec(
        name=f"cednet_{size}_classifier",
        task="classification",
        height=224,
        width=224,
        multiple_of=32,
        mean=MEAN,
        std=STD,
        output="class-logits",
        source=f"CEDNet (arXiv 2302.06052), {section}; zhanggang001/CEDNet 305d637",
    )


def _built(
    name: str,
    weights: str | Path | None,
    classes: int,
    *,
    neck: int = NECK,
    aux: bool = True,
    **changes: Any,
) -> DeepClassifier:
    return DeepClassifier(build_backbone(name, weights, **changes), classes, neck, aux)


@register(_spec("t", "Sec. 4.1, T"))
def cednet_t_classifier(
    weights: str | Path | None = None, classes: int = 1000, **options: Any
) -> DeepClassifier:
    """CEDNet-T; `weights` fills the backbone, `options` as `_built` and `Plan` have them."""
    return _built("cednet_t", weights, classes, **options)


@register(_spec("s", "Sec. 4.1, S"))
def cednet_s_classifier(
    weights: str | Path | None = None, classes: int = 1000, **options: Any
) -> DeepClassifier:
    """CEDNet-S: a stage more than T, and longer ones."""
    return _built("cednet_s", weights, classes, **options)


@register(_spec("b", "Sec. 4.1, B"))
def cednet_b_classifier(
    weights: str | Path | None = None, classes: int = 1000, **options: Any
) -> DeepClassifier:
    """CEDNet-B: S, and wider."""
    return _built("cednet_b", weights, classes, **options)


@register(_spec("n", "Sec. 4.1, a small one of ours"))
def cednet_n_classifier(
    weights: str | Path | None = None, classes: int = 1000, **options: Any
) -> DeepClassifier:
    """CEDNet-N: three stages small enough to train on a CPU, and a quarter of the neck."""
    return _built("cednet_n", weights, classes, **({"neck": NECK // 4} | options))
