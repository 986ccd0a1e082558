"""SalGAN generator: VGG16 and its mirror image, one of the two teachers of FastSal.

Pan et al., "SalGAN: Visual saliency prediction with adversarial networks"; layer table checked
against the authors' Lasagne network and the flat PyTorch `Sequential` that FastSal learned from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from students.registry import ModelSpec
from teachers import register

Normalisation = Literal["caffe", "imagenet"]
Initialisation = Literal["kaiming", "glorot"]

STRIDE = 16
POOL, UP = "pool", "up"


@dataclass(frozen=True)
class Conv:
    """One convolution of the generator; every one but `output` is 3x3 and followed by a ReLU."""

    name: str
    channels: int
    tap: bool = False
    """A hint reads this layer, so it keeps its channels at every width (Eq. 1 of FastSal)."""


_TABLE: tuple[Conv | str, ...] = (
    Conv("conv1_1", 64), Conv("conv1_2", 64), POOL,
    Conv("conv2_1", 128), Conv("conv2_2", 128), POOL,
    Conv("conv3_1", 256), Conv("conv3_2", 256), Conv("conv3_3", 256), POOL,
    Conv("conv4_1", 512), Conv("conv4_2", 512), Conv("conv4_3", 512), POOL,
    Conv("conv5_1", 512), Conv("conv5_2", 512), Conv("conv5_3", 512),
    Conv("uconv5_3", 512), Conv("uconv5_2", 512), Conv("uconv5_1", 512, tap=True), UP,
    Conv("uconv4_3", 512), Conv("uconv4_2", 512), Conv("uconv4_1", 512, tap=True), UP,
    Conv("uconv3_3", 256), Conv("uconv3_2", 256), Conv("uconv3_1", 256, tap=True), UP,
    Conv("uconv2_2", 128), Conv("uconv2_1", 128, tap=True), UP,
    Conv("uconv1_2", 64), Conv("uconv1_1", 64), Conv("output", 1),
)  # fmt: skip
ENCODER_CONVS = 13
"""The first 13 convolutions are VGG16's; the rest is the decoder."""

CONVS: tuple[Conv, ...] = tuple(row for row in _TABLE if isinstance(row, Conv))

# RGB mean and standard deviation in 0-255 units, and the rough scale of what conv1_1 then sees.
_MEAN = {"caffe": (123.68, 116.779, 103.939), "imagenet": (123.675, 116.28, 103.53)}
_STD = {"caffe": (1.0, 1.0, 1.0), "imagenet": (58.395, 57.12, 57.375)}
_INPUT_SCALE = {"caffe": 57.6, "imagenet": 1.0}
_OUTPUT_GAIN = 0.07

BASE_RATE = 0.05
"""Mean of a human saliency map, about; where `kaiming` starts."""

SPEC = ModelSpec(
    name="salgan",
    task="saliency",
    height=192,
    width=256,
    multiple_of=STRIDE,
    mean=_MEAN["caffe"],
    std=_STD["caffe"],
    output="logits",
    source="Pan et al. 2017 (SalGAN), generator; teacher of FastSal, Table III",
)


class SalGAN(nn.Module):
    """The generator as one flat list of 62 modules, indexed as in the public PyTorch weights.

    `layers[0]` to `layers[29]` are VGG16 up to relu5_3, `layers[61]` is the sigmoid, which only
    `predict` applies. `width` below 1 thins every layer but the four that hints read.

    Args:
        width: in (0, 1]; 1.0 is the published network of 31,787,009 parameters.
        normalisation: `caffe` (BGR minus mean) is what the released weights saw; `imagenet`
            (RGB, zero mean, unit deviation) suits torchvision's VGG16 and training from scratch.
        initialisation: `kaiming` keeps the signal's scale through 26 ReLU layers without batch
            norm and starts at maps of about `BASE_RATE`; `glorot` is what the authors' decoder
            started from.

    Raises:
        ValueError: a width outside (0, 1] or an unknown option.
    """

    feature_channels = (128, 256, 512, 512)
    """Channels of `features`, fine to coarse, at every width."""

    def __init__(
        self,
        width: float = 1.0,
        *,
        normalisation: Normalisation = "caffe",
        initialisation: Initialisation = "kaiming",
    ) -> None:
        super().__init__()
        if not 0.0 < width <= 1.0:
            raise ValueError(f"width must lie in (0, 1], not {width}; 1.0 is the published network")
        _require_choice("normalisation", normalisation, get_args(Normalisation))
        _require_choice("initialisation", initialisation, get_args(Initialisation))
        self.width = width
        self.normalisation: Normalisation = normalisation
        self.layers = nn.Sequential(*_modules(width))
        mean, std = (torch.tensor(table[normalisation]) for table in (_MEAN, _STD))
        self.register_buffer("mean", mean.view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", std.view(1, 3, 1, 1), persistent=False)
        self.mean: Tensor
        self.std: Tensor
        _initialise(self.convolutions(), initialisation, _INPUT_SCALE[normalisation])

    def forward(self, images: Tensor) -> Tensor:
        """Saliency logits `(B, 1, H, W)` of RGB images `(B, 3, H, W)` in 0-255.

        Raises `ValueError` when a side is no multiple of 16.
        """
        return self.features_and_logits(images)[1]

    def predict(self, images: Tensor) -> Tensor:
        """Saliency maps `(B, 1, H, W)` in 0-1: the sigmoid of `forward`."""
        return torch.sigmoid(self(images))

    def features(self, images: Tensor) -> list[Tensor]:
        """Hint features, fine to coarse: 128 at 1/2, 256 at 1/4, 512 at 1/8, 512 at 1/16.

        Each is the decoder's ReLU output just before an upsampling: modules 54, 49, 42, 35.
        """
        return self.features_and_logits(images)[0]

    def features_and_logits(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return what `features` and `forward` do, from one pass."""
        _require_shape(images)
        x = self._normalise(images)
        taps: list[Tensor] = []
        for layer in self.layers[:-1]:
            if isinstance(layer, nn.Upsample):
                taps.append(x)
            x = layer(x)
        return taps[::-1], x

    def load_released(self, path: Path) -> None:
        """Fill the generator from published weights in any known layout.

        Raises `ValueError` naming the first layer that does not fit.
        """
        from teachers.salgan_weights import load_weights

        load_weights(self, path)

    def convolutions(self) -> list[nn.Conv2d]:
        """Every convolution in network order, one for each of the 27 entries of `CONVS`."""
        return [layer for layer in self.layers if isinstance(layer, nn.Conv2d)]

    def encoder_parameters(self, blocks: int = 5) -> list[nn.Parameter]:
        """Weights and biases of VGG16's first `blocks` blocks; the authors froze the first 3."""
        names = tuple(f"conv{block}_" for block in range(1, blocks + 1))
        layers = zip(CONVS, self.convolutions(), strict=True)
        chosen = [layer for conv, layer in layers if conv.name.startswith(names)]
        return [parameter for layer in chosen for parameter in layer.parameters()]

    def decoder_parameters(self) -> list[nn.Parameter]:
        """Weights and biases of everything after VGG16."""
        layers = self.convolutions()[ENCODER_CONVS:]
        return [parameter for layer in layers for parameter in layer.parameters()]

    def _normalise(self, images: Tensor) -> Tensor:
        centred = (images - self.mean) / self.std
        return centred.flip(1) if self.normalisation == "caffe" else centred


@register(SPEC)
def salgan(
    width: float = 1.0,
    normalisation: Normalisation = "caffe",
    initialisation: Initialisation = "kaiming",
) -> SalGAN:
    """Build the generator; see `SalGAN` for the arguments."""
    return SalGAN(width, normalisation=normalisation, initialisation=initialisation)


def channels(conv: Conv, width: float) -> int:
    """Output channels of `conv` in a network of this `width`."""
    fixed = conv.tap or conv.name == "output"
    return conv.channels if fixed else max(4, round(conv.channels * width))


def _modules(width: float) -> Iterable[nn.Module]:
    previous = 3
    for row in _TABLE:
        if isinstance(row, str):
            # The Lasagne layer repeats pixels, hence nearest.
            yield nn.MaxPool2d(2) if row == POOL else nn.Upsample(scale_factor=2, mode="nearest")
            continue
        current = channels(row, width)
        if row.name == "output":
            yield nn.Conv2d(previous, current, kernel_size=1)
            yield nn.Sigmoid()
        else:
            yield nn.Conv2d(previous, current, kernel_size=3, padding=1)
            yield nn.ReLU()
        previous = current


def _initialise(layers: list[nn.Conv2d], how: Initialisation, input_scale: float) -> None:
    for layer in layers:
        if how == "kaiming":
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        else:
            nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(_bias(layer))
    if how == "kaiming":
        with torch.no_grad():
            # Otherwise the scale of raw pixels reaches the logits and saturates the loss.
            layers[0].weight.div_(input_scale)
            layers[-1].weight.mul_(_OUTPUT_GAIN)
            # At the loss of the best constant map: the first steps need not push every layer down.
            nn.init.constant_(_bias(layers[-1]), math.log(BASE_RATE / (1 - BASE_RATE)))


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias


def _require_choice(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{option} is {value!r}; choose one of {', '.join(known)}")


def _require_shape(images: Tensor) -> None:
    shape = tuple(images.shape)
    if images.ndim != 4 or shape[1] != 3:
        raise ValueError(f"SalGAN takes RGB images (B, 3, H, W), not a tensor of shape {shape}")
    if shape[2] % STRIDE or shape[3] % STRIDE:
        raise ValueError(
            f"SalGAN needs sides that are multiples of {STRIDE}, not {shape[2]}x{shape[3]}; "
            "resize the images first"
        )
