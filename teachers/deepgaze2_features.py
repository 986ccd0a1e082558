"""Frozen features a DeepGaze readout may stand on: VGG-19's, or MobileNetV2's at two scales."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F
import torchvision
from safetensors.torch import load_file
from torch import Tensor, nn

from students.backbones import TORCHVISION, MobileNetV2, load_mobilenet_v2
from students.layers import Normalise

MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)

Weights = str | Path | None


class Frozen(nn.Module):
    """A backbone that never learns: no gradients, and batch norm as it was trained."""

    channels: tuple[int, ...]
    """Channels of each tap."""
    multiple_of: int
    """What both sides of an input must be multiples of."""

    def freeze(self) -> None:
        """Take every parameter out of training; for the end of a subclass's `__init__`."""
        for parameter in self.parameters():
            parameter.requires_grad_(False)

    def train(self, _mode: bool = True) -> Frozen:
        """Stay in eval mode, whatever the readout on top does."""
        super().train(False)
        return self


class VGG19Features(Frozen):
    """conv5_1, relu5_1, relu5_2, conv5_3, relu5_4 of VGG-19 at 1/16 (DeepGaze II): 2,560 channels.

    Convolutions count before their ReLU, so nothing here works in place. 20,024,384 parameters.
    """

    # Modules 28, 29, 31, 32 and 35 of torchvision's `features`, as it counts them.
    TAPS = (28, 29, 31, 32, 35)
    channels = (512,) * 5
    multiple_of = 16

    def __init__(self, weights: Weights = None) -> None:
        super().__init__()
        self.normalise = Normalise(MEAN, STD)
        whole = torchvision.models.vgg19(weights=None).features[: self.TAPS[-1] + 1]
        self.features = nn.Sequential(*map(_not_in_place, whole))
        load_vgg19(self.features, weights)
        self.freeze()

    def forward(self, images: Tensor) -> list[Tensor]:
        """Taps (B, 512, H/16, W/16) of RGB images (B, 3, H, W), 0-255."""
        x = self.normalise(images)
        taps = []
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self.TAPS:
                taps.append(x)
        return taps


class MobileNetV2Features(Frozen):
    """Block outputs of MobileNetV2 at two scales: what DeepGaze can read without VGG weights.

    At full size blocks at 1/8, 1/16 and 1/32, at half size the same and one at 1/4, so that every
    tap but the coarsest lies on the grid of an eighth or a sixteenth of the input.
    """

    # Positions among MobileNetV2's 18 taps, with their channels.
    FULL: ClassVar = {5: 32, 12: 96, 16: 320, 17: 1280}
    HALF: ClassVar = {2: 24, 5: 32, 12: 96, 16: 320, 17: 1280}
    channels = (*FULL.values(), *HALF.values())
    multiple_of = 64

    def __init__(self, weights: Weights = None) -> None:
        super().__init__()
        self.normalise = Normalise(MEAN, STD)
        self.backbone = MobileNetV2()
        load_mobilenet_v2(self.backbone, weights)
        self.freeze()

    def forward(self, images: Tensor) -> list[Tensor]:
        """Taps (B, C, h, w), full scale first, of RGB images (B, 3, H, W), 0-255."""
        x = self.normalise(images)
        full, half = self.backbone(x), self.backbone(F.avg_pool2d(x, 2))
        return [full[k] for k in self.FULL] + [half[k] for k in self.HALF]


def load_vgg19(features: nn.Sequential, weights: Weights) -> None:
    """Fill VGG-19's convolutions from `weights`: a file, `torchvision`, or None (as initialised).

    A file holds torchvision's `vgg19` state dict, with or without its classifier, as safetensors or
    as a `.pth`. Raises `ValueError` naming the first tensor that is missing or has another shape.
    """
    if weights is None:
        return
    if str(weights) == TORCHVISION:
        enum = torchvision.models.VGG19_Weights.IMAGENET1K_V1
        state = enum.get_state_dict(progress=True, check_hash=True)
    elif str(weights).endswith(".safetensors"):
        state = load_file(str(weights))
    else:
        state = torch.load(str(weights), map_location="cpu", weights_only=True)
    own = features.state_dict()
    for name, tensor in own.items():
        key = f"features.{name}"
        if key not in state:
            raise ValueError(
                f"{weights} is not a VGG-19 file: it lacks {key}; expected torchvision's vgg19 "
                "state dict"
            )
        if state[key].shape != tensor.shape:
            raise ValueError(
                f"{weights}: {key} has shape {tuple(state[key].shape)}, "
                f"expected {tuple(tensor.shape)}"
            )
    features.load_state_dict({name: state[f"features.{name}"] for name in own})


def _not_in_place(layer: nn.Module) -> nn.Module:
    return nn.ReLU() if isinstance(layer, nn.ReLU) else layer
