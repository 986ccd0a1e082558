"""ResNets that stop shrinking at stride 8: what segmentation heads stand on (GALD, Sec. 4.1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torchvision
from torch import Tensor, nn

from students.backbones import TORCHVISION, fill

Depth = Literal[18, 50, 101]
_BUILDERS = {
    18: torchvision.models.resnet18,
    50: torchvision.models.resnet50,
    101: torchvision.models.resnet101,
}
STEM = (64, 64, 128)
"""Widths of the deep stem's three 3x3 convolutions, in place of one of 7x7."""
MULTI_GRID = (1, 2, 4)
"""Dilations of the last stage's blocks, times 4."""


class DilatedResNet(nn.Module):
    """Deep stem, four stages, output stride 8: the last two dilate by 2 and 4 instead.

    The max-pool floors: at sides of 8 n + 1, such as the paper's 769, that is what ceiling gives,
    and at multiples of 8 it keeps every stride exact.
    """

    def __init__(self, depth: Depth) -> None:
        super().__init__()
        if depth not in _BUILDERS:
            raise ValueError(f"a dilated ResNet has 18, 50 or 101 layers, got {depth}")
        whole = _BUILDERS[depth](weights=None)
        self.depth = depth
        self.stem = nn.Sequential(*_stem())
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.layer1, self.layer2 = whole.layer1, whole.layer2
        self.layer3, self.layer4 = whole.layer3, whole.layer4
        _widen(self.layer1[0], STEM[-1])
        _dilate(self.layer3, [2] * len(self.layer3))
        grid = [4 * MULTI_GRID[min(i, len(MULTI_GRID) - 1)] for i in range(len(self.layer4))]
        _dilate(self.layer4, grid)
        factor = 1 if depth == 18 else 4
        self.channels = (64 * factor, 128 * factor, 256 * factor, 512 * factor)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Normalised images (B, 3, H, W) -> the four stages, strides 4, 8, 8, 8."""
        x = self.pool(self.stem(images))
        taps = []
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
            taps.append(x)
        return taps


def load_dilated(backbone: DilatedResNet, weights: str | Path | None) -> None:
    """Fill `backbone` from a safetensors file of its own state dict, or leave it as initialised.

    torchvision publishes no ResNet with a deep stem. Raises `ValueError` for it, and naming the
    first tensor that is missing or has another shape.
    """
    if weights is not None and str(weights) == TORCHVISION:
        raise ValueError(
            "torchvision has no weights of a ResNet with a deep stem; register a file of such "
            "(fovea weights add), or set student.weights=none"
        )
    fill(backbone, weights, None, f"dilated ResNet-{backbone.depth}")


def _stem() -> list[nn.Module]:
    layers: list[nn.Module] = []
    inputs = 3
    for number, outputs in enumerate(STEM):
        layers += [
            nn.Conv2d(inputs, outputs, 3, 2 if number == 0 else 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]
        inputs = outputs
    return layers


def _widen(block: Any, inputs: int) -> None:
    """Let the first block take the deep stem's width."""
    old = block.conv1
    side, stride, padding = old.kernel_size, old.stride, old.padding
    block.conv1 = nn.Conv2d(inputs, old.out_channels, side, stride, padding, bias=False)
    if block.downsample is None:
        outputs = block.conv2.out_channels
        block.downsample = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        )
    else:
        block.downsample[0] = nn.Conv2d(inputs, block.downsample[0].out_channels, 1, bias=False)


def _dilate(stage: nn.Sequential, dilations: list[int]) -> None:
    """Take the stride out of a stage, and dilate its 3x3 convolutions block by block."""
    for block, dilation in zip(stage.children(), dilations, strict=True):
        for layer in block.modules():
            if not isinstance(layer, nn.Conv2d):
                continue
            layer.stride = (1, 1)
            if layer.kernel_size == (3, 3):
                layer.dilation, layer.padding = (dilation, dilation), (dilation, dilation)
