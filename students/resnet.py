"""ResNet-18, -50 and -101 with their five scales as taps."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torchvision
from torch import Tensor, nn

from students.backbones import fill

Depth = Literal[18, 50, 101]
CHANNELS: dict[int, tuple[int, ...]] = {
    18: (64, 64, 128, 256, 512),
    50: (64, 256, 512, 1024, 2048),
    101: (64, 256, 512, 1024, 2048),
}
_BUILDERS = {
    18: torchvision.models.resnet18,
    50: torchvision.models.resnet50,
    101: torchvision.models.resnet101,
}
_PUBLISHED = {
    18: torchvision.models.ResNet18_Weights,
    50: torchvision.models.ResNet50_Weights,
    101: torchvision.models.ResNet101_Weights,
}


class ResNet(nn.Module):
    """torchvision's ResNet (stride in the 3x3 convolution) without its classifier.

    Taps: after the stem, before its max-pool, and after each of the four stages.
    """

    def __init__(self, depth: Depth) -> None:
        super().__init__()
        if depth not in CHANNELS:
            raise ValueError(f"ResNet has 18, 50 or 101 layers here, got {depth}")
        whole = _BUILDERS[depth](weights=None)
        self.depth = depth
        self.channels = CHANNELS[depth]
        self.conv1, self.bn1 = whole.conv1, whole.bn1
        self.relu, self.maxpool = whole.relu, whole.maxpool
        self.layer1, self.layer2 = whole.layer1, whole.layer2
        self.layer3, self.layer4 = whole.layer3, whole.layer4

    def forward(self, images: Tensor) -> list[Tensor]:
        """Normalised images (B, 3, H, W) -> taps at strides 2, 4, 8, 16, 32, fine to coarse."""
        taps = [self.relu(self.bn1(self.conv1(images)))]
        x = self.maxpool(taps[0])
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
            taps.append(x)
        return taps


def load_resnet(backbone: ResNet, weights: str | Path | None) -> None:
    """Fill `backbone` from a safetensors file of torchvision's state dict, `torchvision`, or None.

    Raises `ValueError` naming the first tensor that is missing or has another shape.
    """
    fill(backbone, weights, _PUBLISHED[backbone.depth], f"ResNet-{backbone.depth}")
