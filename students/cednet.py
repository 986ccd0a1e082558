"""CEDNet with UPerNet's head for classes of pixels (CEDNet, Sec. 4.4)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from students import register
from students.cednet_backbone import CedNet, Plan, load_cednet
from students.registry import ModelSpec
from students.upernet import MEAN, STD, UperNet

_T = Plan((96, 192, 352, 512), 3, ((2, 4, 2),) * 3, drop_path=0.2)
VARIANTS = {
    "cednet_n": (Plan((32, 64, 96, 128), 1, ((1, 2, 1),) * 3), 64),
    "cednet_t": (_T, 512),
    "cednet_s": (replace(_T, blocks=((2, 7, 2),) * 4, drop_path=0.3), 512),
    "cednet_b": (Plan((128, 256, 448, 704), 3, ((2, 7, 2),) * 4, drop_path=0.4), 512),
}
"""Backbones (Sec. 3.4; N is ours), with the authors' rates for segmentation, and head widths."""


def build_backbone(
    name: str, weights: str | Path | None = None, *, stages: int | None = None, **changes: Any
) -> CedNet:
    """The backbone of a variant, filled from `weights` (file or None).

    `stages` repeats the first stage so often; `changes` are fields of `Plan`, unless None.
    """
    plan = VARIANTS[name][0]
    plan = replace(plan, **{key: value for key, value in changes.items() if value is not None})
    if stages is not None:
        plan = replace(plan, blocks=tuple(plan.blocks[:1]) * stages)
    backbone = CedNet(plan)
    load_cednet(backbone, weights)
    return backbone


def _built(
    name: str,
    weights: str | Path | None,
    classes: int,
    *,
    head_width: int | None = None,
    aux: bool = True,
    **changes: Any,
) -> UperNet:
    """`changes` as `build_backbone` has them."""
    backbone = build_backbone(name, weights, **changes)
    return UperNet(name, backbone, classes, head_width or VARIANTS[name][1], aux)


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
