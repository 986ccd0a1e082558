"""DeepGaze II: 1x1 convolutions on frozen features, trained by the likelihood of fixations.

Kümmerer et al., "DeepGaze II: Reading fixations from deep features trained on object recognition";
the other teacher of FastSal. No public checkpoint has a known layout, so the readout is trained
here, on VGG-19 as published or on any other frozen backbone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from students.layers import check_size
from students.registry import ModelSpec
from teachers import register
from teachers.deepgaze2_features import (
    MEAN,
    STD,
    Frozen,
    MobileNetV2Features,
    VGG19Features,
    Weights,
)

HEIGHT, WIDTH = 384, 512
"""A photograph of 1,024 pixels (35 to the degree), halved as the paper does before VGG."""
SOURCE = "Kümmerer et al. 2016 (DeepGaze II); teacher of FastSal, Table III"


class Readout(nn.Module):
    """Four 1x1 convolutions, 16-32-2-1: ReLU after all but the last, which has no bias.

    On VGG-19's 2,560 channels exactly 41,588 parameters. The published network first repeats
    pixels up to a fine grid; pixelwise layers do not mind, so this one repeats them last, for a
    fraction of the work: the result is on the grid of the finest tap.
    """

    WIDTHS = (16, 32, 2)

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        first, second, third = self.WIDTHS
        self.first = nn.ModuleList(nn.Conv2d(c, first, 1, bias=False) for c in channels)
        self.bias = nn.Parameter(torch.zeros(first))
        self.second = nn.Conv2d(first, second, 1)
        self.third = nn.Conv2d(second, third, 1)
        self.last = nn.Conv2d(third, 1, 1, bias=False)
        for weight in self.first.parameters():
            # One layer over all channels in effect, though its taps lie apart.
            nn.init.normal_(weight, std=math.sqrt(2 / sum(channels)))
        for parameter in (*self.second.parameters(), *self.third.parameters()):
            if parameter.ndim > 1:
                nn.init.kaiming_normal_(parameter, nonlinearity="relu")
            else:
                nn.init.zeros_(parameter)

    def forward(self, taps: Sequence[Tensor]) -> Tensor:
        """(B, 1, h, w) from taps (B, C_i, h_i, w_i), h x w the largest of their sizes."""
        size = max(tap.shape[-2:] for tap in taps)
        read = [layer(tap) for layer, tap in zip(self.first, taps, strict=True)]
        x = torch.stack([F.interpolate(r, size=size, mode="nearest") for r in read]).sum(0)
        x = F.relu(x + self.bias[:, None, None])
        x = F.relu(self.third(F.relu(self.second(x))))
        found: Tensor = self.last(x)
        return found


class Finalizer(nn.Module):
    """Blur, centre bias, softmax: from a readout to a log density over pixels.

    `sigma`, the blur's deviation in pixels of the map, and `alpha`, the weight of the centre bias,
    are learned. The blur is separable over `2 radius + 1` pixels and repeats the border.
    """

    def __init__(self, sigma: float, radius: int) -> None:
        super().__init__()
        self.sigma = nn.Parameter(torch.tensor(sigma))
        self.alpha = nn.Parameter(torch.tensor(1.0))
        self.radius = radius

    def forward(self, readout: Tensor, centre_bias: Tensor) -> Tensor:
        """Log density (B, 1, H, W); `centre_bias` (1, H, W) is a log density of the same size."""
        x = self.blur(readout) + self.alpha * centre_bias
        return x.flatten(1).log_softmax(dim=1).view_as(x)

    def blur(self, x: Tensor) -> Tensor:
        """(B, 1, H, W) blurred by the learned deviation."""
        r = self.radius
        offsets = torch.arange(-r, r + 1, dtype=x.dtype, device=x.device)
        kernel = torch.exp(-0.5 * (offsets / self.sigma).square())
        kernel = kernel / kernel.sum()
        padded = F.pad(x, (r, r, r, r), mode="replicate")
        rows = F.conv2d(padded, kernel.view(1, 1, 1, -1))
        return F.conv2d(rows, kernel.view(1, 1, -1, 1))


class DeepGaze2(nn.Module):
    """`folds` readouts on one frozen backbone; the prediction is their mixture.

    Each fold learns from the images it does not hold out, with the centre bias of those images
    (10 folds in the released model). `flips` also averages over the mirrored image. The map has
    `stride` times fewer pixels a side than the input.

    Raises `ValueError` for fewer than 1 fold.
    """

    def __init__(
        self,
        name: str,
        features: Frozen,
        *,
        folds: int,
        flips: bool,
        stride: int,
        sigma: float,
        radius: int,
    ) -> None:
        super().__init__()
        if folds < 1:
            raise ValueError(f"folds is {folds}; use at least 1")
        self.name = name
        self.folds = folds
        self.flips = flips
        self.stride = stride
        self.backbone = features
        self.readouts = nn.ModuleList(Readout(features.channels) for _ in range(folds))
        self.finalizers = nn.ModuleList(Finalizer(sigma, radius) for _ in range(folds))
        uniform = torch.zeros(folds, 1, HEIGHT // stride, WIDTH // stride)
        self.register_buffer("centre_bias", uniform - math.log(uniform[0].numel()))
        self.centre_bias: Tensor

    @property
    def map_size(self) -> tuple[int, int]:
        """Height and width of the map at the default input size."""
        height, width = self.centre_bias.shape[-2:]
        return height, width

    def forward(self, images: Tensor) -> Tensor:
        """Log density (B, 1, H / stride, W / stride) of RGB images (B, 3, H, W), 0-255."""
        views = [self.fold_log_densities(images)]
        if self.flips:
            views.append(self.fold_log_densities(images.flip(-1)).flip(-1))
        members = torch.cat(views, dim=1)
        return members.logsumexp(dim=1, keepdim=True) - math.log(members.shape[1])

    def fold_log_densities(self, images: Tensor) -> Tensor:
        """What each fold says, (B, folds, H / stride, W / stride)."""
        check_size(images, self.backbone.multiple_of, self.name)
        with torch.no_grad():
            taps = self.backbone(images)
        height, width = (side // self.stride for side in images.shape[-2:])
        prior = sized(self.centre_bias, height, width)
        found = []
        for fold, (readout, finalizer) in enumerate(
            zip(self.readouts, self.finalizers, strict=True)
        ):
            fine = F.interpolate(readout(taps), size=(height, width), mode="nearest")
            found.append(finalizer(fine, prior[fold]))
        return torch.cat(found, dim=1)

    def set_centre_bias(self, log_density: Tensor) -> None:
        """Take each fold's centre bias, (folds, 1, h, w) of any size, as log densities."""
        self.centre_bias.copy_(sized(log_density, *self.map_size))


def sized(log_density: Tensor, height: int, width: int) -> Tensor:
    """Log densities (F, 1, h, w) at another size: nearest pixel, then normalised again."""
    if log_density.shape[-2:] == (height, width):
        return log_density
    near = F.interpolate(log_density, size=(height, width), mode="nearest")
    return near - near.flatten(1).logsumexp(dim=1).view(-1, 1, 1, 1)


def _spec(name: str, multiple_of: int, source: str) -> ModelSpec:
    return ModelSpec(name, "saliency", HEIGHT, WIDTH, multiple_of, MEAN, STD, "log-density", source)


@register(_spec("deepgaze2", VGG19Features.multiple_of, SOURCE))
def deepgaze2(weights: Weights = None, folds: int = 10, flips: bool = False) -> DeepGaze2:
    """DeepGaze II on VGG-19; `weights` fills the backbone (file, `torchvision` or None)."""
    return DeepGaze2(
        "deepgaze2", VGG19Features(weights), folds=folds, flips=flips, stride=2, sigma=5.0,
        radius=20,
    )  # fmt: skip


@register(_spec("deepgaze2_mobilenet", MobileNetV2Features.multiple_of, f"readout as {SOURCE}"))
def deepgaze2_mobilenet(weights: Weights = None, folds: int = 5, flips: bool = True) -> DeepGaze2:
    """The same readout on MobileNetV2 at two scales, where there are no VGG weights."""
    return DeepGaze2(
        "deepgaze2_mobilenet", MobileNetV2Features(weights), folds=folds, flips=flips, stride=4,
        sigma=2.5, radius=12,
    )  # fmt: skip
