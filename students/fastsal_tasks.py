"""FastSal's decoders for other tasks: objects as they are, classes with a head of their own.

Students that the heavier architectures teach; not of the paper, which is about fixations alone.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from students import register
from students.backbones import load_mobilenet_v2
from students.fastsal import (
    GROUP_CHANNELS,
    MEAN,
    STD,
    AdditionBlock,
    FastSal,
    FastSalA,
    FastSalC,
    Form,
    Skip,
    adaptation,
)
from students.initialise import Init, initialise
from students.layers import conv_bn, resized
from students.registry import ModelSpec


def _spec(name: str, task: str, output: str) -> ModelSpec:
    return ModelSpec(
        name=name,
        task=task,
        height=256,
        width=256,
        multiple_of=32,
        mean=MEAN,
        std=STD,
        output=output,
        source="FastSal's decoder (Hu and McGuinness, ICPR 2020, Sec. III-C) for another task",
    )


class FastSalClasses(FastSal):
    """FastSal (A)'s additions from 1/16 up to 1/4, then a class for every pixel.

    (A) itself goes on to 8 channels at 1/2 and 2 at full size, too few to tell classes apart.
    3,665,259 parameters with 11 classes.
    """

    name = "fastsal_a_semantic"
    feature_channels = GROUP_CHANNELS
    strides = FastSal.strides
    WIDTHS = (32, 128, 512)
    HEAD = 64

    def __init__(self, classes: int, skip: Skip = "paper") -> None:
        super().__init__()
        self.adaptation = adaptation(GROUP_CHANNELS[1:], self.WIDTHS)
        self.blocks = nn.ModuleList(AdditionBlock(width, skip) for width in self.WIDTHS)
        self.mix = conv_bn(self.WIDTHS[0], self.HEAD, 3)
        self.head = nn.Conv2d(self.HEAD, classes, 1)

    def features(self, images: Tensor) -> list[Tensor]:
        """Tap groups before adaptation, as of (A)."""
        return self.groups(images)

    def forward(self, images: Tensor) -> Tensor:
        """Class logits (B, C, H, W)."""
        groups = self.groups(images)[1:]
        adapted = [adapt(x) for adapt, x in zip(self.adaptation, groups, strict=True)]
        coarse, *finer = zip(reversed(self.blocks), reversed(adapted), strict=True)
        decoded: Tensor = coarse[0](coarse[1])
        for block, x in finer:
            decoded = block(x, self.shuffle(decoded))
        logits = self.head(self.mix(decoded))
        return resized(logits, images.shape[-2:], align_corners=False)


@register(_spec("fastsal_a_objects", "salient_object", "logits"))
def fastsal_a_objects(
    weights: str | Path | None = None, init: Init = "kaiming", skip: Skip = "paper"
) -> FastSalA:
    """FastSal (A) for salient objects; `weights` fills the backbone."""
    student = FastSalA(skip)
    initialise(student, init)
    load_mobilenet_v2(student.backbone, weights)
    return student


@register(_spec("fastsal_c_objects", "salient_object", "logits"))
def fastsal_c_objects(
    weights: str | Path | None = None, init: Init = "kaiming", form: Form = "taps"
) -> FastSalC:
    """FastSal (C) for salient objects; `weights` fills the backbone."""
    student = FastSalC(form)
    initialise(student, init)
    load_mobilenet_v2(student.backbone, weights)
    return student


@register(_spec("fastsal_a_semantic", "semantic", "class-logits"))
def fastsal_a_semantic(
    weights: str | Path | None = None,
    classes: int = 19,
    init: Init = "kaiming",
    skip: Skip = "paper",
) -> FastSalClasses:
    """FastSal (A)'s decoder with a class head; `weights` fills the backbone."""
    student = FastSalClasses(classes, skip)
    initialise(student, init)
    nn.init.zeros_(student.head.bias)  # type: ignore[arg-type]
    load_mobilenet_v2(student.backbone, weights)
    return student
