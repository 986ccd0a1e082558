"""SalGAN's discriminator, which tells human maps of an image from the generator's.

Two published variants, checked against the authors' Lasagne network (`official`) and the PyTorch
re-training that made FastSal's teacher (`leaky`). Both have 130,191 convolution parameters, which
with the generator's 31,787,009 make the 31.92M of FastSal's Table III.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations


@dataclass(frozen=True)
class Variant:
    """What sets one published discriminator apart from another."""

    pools: tuple[int, int, int]
    """Side of the max pooling after each of the three groups of convolutions."""
    groups: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    """Output channels of the 3x3 convolutions of each group."""
    merge_padding: int
    """Padding of the 1x1 convolution that merges image and map."""
    slope: float
    """Slope of the rectifier below zero."""
    weight_norm: bool
    """Whether the last group's weights are normalised."""


_GROUPS = ((32,), (64, 64), (64, 64))
VARIANTS = {
    "official": Variant((4, 2, 2), _GROUPS, merge_padding=0, slope=0.0, weight_norm=True),
    "leaky": Variant((2, 2, 2), _GROUPS, merge_padding=1, slope=0.01, weight_norm=False),
}


class Discriminator(nn.Module):
    """Conditional discriminator over four channels: RGB image and saliency map.

    The fully connected head ties it to one input size, given when it is built.

    Args:
        variant: `official` or `leaky`, see `VARIANTS`.
        height, width: input size in pixels.
        image_scale: factor on the 0-255 image. The authors feed raw pixels (1.0), next to which
            the 0-1 map weighs little and the tanh head saturates; the default brings both to 0-1.

    Raises:
        ValueError: an unknown variant or a size that pooling reduces to nothing.
    """

    def __init__(
        self,
        variant: str = "official",
        *,
        height: int = 192,
        width: int = 256,
        image_scale: float = 1 / 255,
    ) -> None:
        super().__init__()
        if variant not in VARIANTS:
            raise ValueError(
                f"no discriminator variant is called {variant!r}; "
                f"choose one of {', '.join(VARIANTS)}"
            )
        self.variant = variant
        self.height, self.width, self.image_scale = height, width, image_scale
        chosen = VARIANTS[variant]
        self.convolutions = nn.Sequential(*_convolutions(chosen))
        self.head = nn.Sequential(
            nn.Linear(_flat_size(chosen, height, width), 100),
            nn.Tanh(),
            nn.Linear(100, 2),
            nn.Tanh(),
            nn.Linear(2, 1),
        )
        _initialise(self)
        if chosen.weight_norm:
            for layer in _conv_layers(self.convolutions)[-len(chosen.groups[-1]) :]:
                parametrizations.weight_norm(layer)

    def forward(self, images: Tensor, maps: Tensor) -> Tensor:
        """Logits `(B, 1)` that `maps` are human: images `(B, 3, H, W)` 0-255, maps `(B, 1, H, W)`.

        Raises `ValueError` when a shape differs from the size the head was built for.
        """
        expected = (self.height, self.width)
        for what, tensor, depth in (("images", images, 3), ("maps", maps, 1)):
            if tensor.ndim != 4 or tuple(tensor.shape[1:]) != (depth, *expected):
                raise ValueError(
                    f"the discriminator was built for {what} (B, {depth}, {expected[0]}, "
                    f"{expected[1]}), not {tuple(tensor.shape)}; give height and width when "
                    "building it"
                )
        x = torch.cat([images * self.image_scale, maps], dim=1)
        logits: Tensor = self.head(self.convolutions(x).flatten(1))
        return logits


def _convolutions(variant: Variant) -> Iterator[nn.Module]:
    yield nn.Conv2d(4, 3, kernel_size=1, padding=variant.merge_padding)
    yield nn.LeakyReLU(variant.slope)
    previous = 3
    for outputs, pool in zip(variant.groups, variant.pools, strict=True):
        for current in outputs:
            yield nn.Conv2d(previous, current, kernel_size=3, padding=1)
            yield nn.LeakyReLU(variant.slope)
            previous = current
        yield nn.MaxPool2d(pool)


def _flat_size(variant: Variant, height: int, width: int) -> int:
    sides = []
    for side in (height, width):
        reduced = side + 2 * variant.merge_padding
        for pool in variant.pools:
            reduced //= pool
        sides.append(reduced)
    if 0 in sides:
        raise ValueError(
            f"inputs of {height}x{width} are too small for the discriminator: pooling by "
            f"{', '.join(map(str, variant.pools))} leaves {sides[0]}x{sides[1]}"
        )
    return variant.groups[-1][-1] * sides[0] * sides[1]


def _conv_layers(module: nn.Module) -> list[nn.Conv2d]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]


def _initialise(module: nn.Module) -> None:
    # The default of the authors' framework; PyTorch's own leaves the head near dead at this depth.
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
