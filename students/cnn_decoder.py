"""A plain decoder of six convolutions, SalGAN's mirrored, on two backbones (FastSal, Table IV).

The paper states (Sec. IV-E): MobileNetV2 or EfficientNet-B0 as the encoder, a six-layer CNN as the
decoder, its layers' outputs 512, 512, 256, 128, 64, 1 "to match that of SalGAN", and a hint loss
against SalGAN. There is no public code for it. The rest is read off SalGAN, whose decoder has five
blocks of 3x3 convolutions and ReLUs with nearest x2 upsampling between them:

* each block becomes one convolution, so the first four outputs are the four hints of Eq. 1;
* their sizes must be SalGAN's, 1/16, 1/8, 1/4, 1/2, but these encoders end at 1/32 where VGG16
  ends at 1/16: hence one upsampling before the first convolution, too;
* the decoder sees the encoder's last output alone (1,280 channels), as SalGAN's does;
* the sixth layer is 3x3 like the others (SalGAN's last is 1x1) and has no ReLU: it gives logits.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from torch import Tensor, nn

from students import register
from students.backbones import (
    EfficientNetB0,
    MobileNetV2,
    load_efficientnet_b0,
    load_mobilenet_v2,
)
from students.initialise import Init, initialise
from students.layers import Normalise, check_size
from students.registry import ModelSpec

MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)
ENCODED = 1280
"""Channels of either encoder's last output, at 1/32."""
WIDTHS = (512, 512, 256, 128, 64)
"""Outputs of the first five layers; the sixth has one, the map."""
HINTS = 4


def _spec(name: str, backbone: str) -> ModelSpec:
    return ModelSpec(
        name=name,
        task="saliency",
        height=192,
        width=256,
        multiple_of=32,
        mean=MEAN,
        std=STD,
        output="logits",
        source=f"Hu and McGuinness, FastSal (ICPR 2020), Table IV, {backbone}; no public code",
    )


class CNNDecoder(nn.Module):
    """Encoder and six-layer decoder. Input (B, 3, H, W), RGB 0-255.

    9,807,873 parameters besides the encoder's, 13.84 GMAC at 192x256: SalGAN's widths at SalGAN's
    sizes are as heavy as they sound.
    """

    feature_channels = WIDTHS[:HINTS][::-1]

    def __init__(self, name: str, backbone: MobileNetV2 | EfficientNetB0) -> None:
        super().__init__()
        self.name = name
        self.normalise = Normalise(MEAN, STD)
        self.backbone = backbone
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.ReLU())
            for i, o in pairwise((ENCODED, *WIDTHS))
        )
        self.head = nn.Conv2d(WIDTHS[-1], 1, 3, padding=1)

    def features(self, images: Tensor) -> list[Tensor]:
        """The first four layers' outputs, fine to coarse: the student's side of Eq. 1.

        128, 256, 512, 512 channels at 1/2, 1/4, 1/8, 1/16, as `teachers.salgan` has them.
        """
        check_size(images, 32, self.name)
        x = self.backbone(self.normalise(images))[-1]
        outputs = []
        for layer in list(self.layers)[:HINTS]:
            x = layer(self.upsample(x))
            outputs.append(x)
        return outputs[::-1]

    def forward(self, images: Tensor) -> Tensor:
        """Saliency logits (B, 1, H, W)."""
        finest = self.features(images)[0]
        logits: Tensor = self.head(self.layers[-1](self.upsample(finest)))
        return logits


@register(_spec("cnn_mobilenet_v2", "MobileNetV2"))
def cnn_mobilenet_v2(weights: str | Path | None = None, init: Init = "authors") -> CNNDecoder:
    """The decoder on MobileNetV2; `weights` fills the backbone (file, `torchvision` or None)."""
    backbone = MobileNetV2()
    student = CNNDecoder("cnn_mobilenet_v2", backbone)
    initialise(student, init)
    load_mobilenet_v2(backbone, weights)
    return student


@register(_spec("cnn_efficientnet_b0", "EfficientNet-B0"))
def cnn_efficientnet_b0(weights: str | Path | None = None, init: Init = "authors") -> CNNDecoder:
    """The decoder on EfficientNet-B0; `weights` as in `cnn_mobilenet_v2`."""
    backbone = EfficientNetB0()
    student = CNNDecoder("cnn_efficientnet_b0", backbone)
    initialise(student, init)
    load_efficientnet_b0(backbone, weights)
    return student
