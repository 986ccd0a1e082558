"""Mobile backbones with named taps, and the three ways to initialise them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torchvision
from safetensors.torch import load_file
from torch import Tensor, nn

TORCHVISION = "torchvision"
"""Weights name that asks torchvision to download its ImageNet weights."""


class MobileNetV2(nn.Module):
    """MobileNetV2 features with all 18 block outputs as taps (FastSal, Sec. III-A).

    The stem (`features[0]`) is computed but not tapped: the 17 inverted residuals and the final
    1x1 convolution make the 18 layers the paper counts.
    """

    # (first, last+1) positions of the taps that share a stride; the first group mixes two strides.
    GROUPS = ((1, 3), (3, 6), (6, 13), (13, 18))

    def __init__(self) -> None:
        super().__init__()
        self.features = torchvision.models.mobilenet_v2(weights=None).features

    def forward(self, images: Tensor) -> list[Tensor]:
        """Taps of normalised `images` (B, 3, H, W), fine to coarse: 18 tensors, strides 2-32."""
        taps = []
        x = self.features[0](images)
        for block in list(self.features)[1:]:
            x = block(x)
            taps.append(x)
        return taps


class EfficientNetB0(nn.Module):
    """EfficientNet-B0 features with all 17 block outputs as taps (FastSal, Table IV).

    As in `MobileNetV2` the stem is not tapped: 16 inverted residuals and the final 1x1
    convolution. Stochastic depth is off: blocks left out at random would make a resumed training
    another one, and the paper does not speak of it.
    """

    def __init__(self) -> None:
        super().__init__()
        build = torchvision.models.efficientnet_b0
        self.features = build(weights=None, stochastic_depth_prob=0.0).features

    def forward(self, images: Tensor) -> list[Tensor]:
        """Taps of normalised `images` (B, 3, H, W), fine to coarse: 17 tensors, strides 2-32."""
        stem, *stages, last = self.features
        x = stem(images)
        taps = []
        for stage in stages:
            for block in stage:
                x = block(x)
                taps.append(x)
        return [*taps, last(x)]


def load_mobilenet_v2(backbone: MobileNetV2, weights: str | Path | None) -> None:
    """Fill `backbone` from `weights`: a safetensors file, `torchvision`, or None (as initialised).

    A file holds a torchvision `mobilenet_v2` state dict, with or without its classifier.
    Raises `ValueError` naming the first tensor that is missing or has another shape.
    """
    fill(backbone, weights, torchvision.models.MobileNet_V2_Weights, "MobileNetV2")


def load_efficientnet_b0(backbone: EfficientNetB0, weights: str | Path | None) -> None:
    """As `load_mobilenet_v2`, from torchvision's `efficientnet_b0`."""
    fill(backbone, weights, torchvision.models.EfficientNet_B0_Weights, "EfficientNet-B0")


def fill(backbone: nn.Module, weights: str | Path | None, published: Any, model: str) -> None:
    """Put torchvision's `published` weights, or a file of such, into `backbone`."""
    if weights is None:
        return
    if str(weights) == TORCHVISION:
        state = published.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True)
    else:
        state = load_file(str(weights))
    own = backbone.state_dict()
    for name, tensor in own.items():
        if name not in state and name.endswith("num_batches_tracked"):
            state[name] = torch.zeros_like(tensor)
        if name not in state:
            raise ValueError(
                f"{weights} is no {model} file: it lacks {name}; expected torchvision's "
                "state dict of that model as safetensors"
            )
        if state[name].shape != tensor.shape:
            raise ValueError(
                f"{weights}: {name} has shape {tuple(state[name].shape)}, "
                f"expected {tuple(tensor.shape)}"
            )
    backbone.load_state_dict({name: state[name] for name in own})
