"""A student of a few thousand parameters with every operator family that FastSal exports."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.mobilenetv2 import InvertedResidual

from mobile.backend import Array
from students.layers import Normalise
from students.registry import ModelSpec

SPEC = ModelSpec(
    name="tiny",
    task="saliency",
    height=32,
    width=64,
    multiple_of=8,
    mean=(123.675, 116.28, 103.53),
    std=(58.395, 57.12, 57.375),
    output="logits",
    source="tests",
)


class TinyStudent(nn.Module):
    """Inverted residuals with and without skip; a PixelShuffle chain; align_corners; concat."""

    def __init__(self) -> None:
        super().__init__()
        self.normalise = Normalise(SPEC.mean, SPEC.std)
        self.stem = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU6()
        )
        self.residual = InvertedResidual(8, 8, stride=1, expand_ratio=2)
        self.down = InvertedResidual(8, 32, stride=2, expand_ratio=2)
        self.deep = nn.Sequential(nn.Conv2d(32, 64, 1), nn.ReLU())
        self.side = nn.Sequential(nn.Conv2d(32, 8, 1), nn.ReLU())
        self.head = nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        half = self.residual(self.stem(self.normalise(images)))
        quarter = self.down(half)
        shuffled = F.pixel_shuffle(self.deep(quarter), 2)
        resized = F.interpolate(
            self.side(quarter), size=list(half.shape[-2:]), mode="bilinear", align_corners=True
        )
        joined = torch.cat([half, shuffled, resized], 1)
        logits: Tensor = self.head(F.pixel_shuffle(joined, 2))
        return logits


def photographs(count: int, seed: int = 0) -> list[Array]:
    """Smooth colour patterns (1, 3, 32, 64), float32 RGB 0-255: photograph-like statistics."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0 : SPEC.height, 0 : SPEC.width] / 32
    made = []
    for _ in range(count):
        phase, pitch = generator.uniform(0, 6, (2, 3, 1, 1))
        wave = np.sin(phase + pitch * y) * np.cos(phase * x + pitch)
        noise = generator.normal(0, 0.05, wave.shape)
        made.append(np.clip(127.5 * (1 + wave + noise), 0, 255).astype(np.float32)[None])
    return made
