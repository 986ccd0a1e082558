"""Test-time inference of semantic models: tiles, scales and the mirrored image.

Each function takes something that maps images as a model does and gives another such; `predictor`
puts together what a configuration asks for. Files are never run so: this is how papers measure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.config.schema import Inference
from pipeline.data.augment import PADDING
from pipeline.tasks.readout import Map, map_of
from pipeline.tasks.task import Predict
from students.layers import nearest
from students.registry import ModelSpec

Forward = Callable[[Tensor], Tensor]
"""Images (B, 3, h, w) RGB 0-255 -> class logits or log-probabilities (B, C, h, w): any model."""


def predictor(
    model: Forward, spec: ModelSpec, settings: Inference, device: torch.device
) -> Predict:
    """`model` (on `device`, eval mode) on one image (3, h, w) of any size, as `settings` say.

    Tiles have the size of `spec`. Gives (C, h, w): log-probabilities where several views are
    averaged, logits where there is one.
    """
    forward = model
    if settings.mode == "slide":
        forward = sliding(forward, (spec.height, spec.width), settings.overlap)
    if settings.flip:
        forward = mirrored(forward)
    forward = multi_scale(forward, settings.scales, spec.multiple_of, spec.least)

    def predict(image: Tensor) -> Map:
        with torch.inference_mode():
            found = forward(image[None].to(device))
        return map_of(found.float().cpu().numpy())

    return predict


def title(settings: Inference) -> str:
    """What sets `settings` apart, such as `slide 2 scales flip`; nothing: the plain whole image."""
    words = ["slide"] if settings.mode == "slide" else []
    if settings.size:
        words.append("x".join(map(str, settings.size)))
    if len(settings.scales) > 1:
        words.append(f"{len(settings.scales)} scales")
    elif settings.scales != [1.0]:
        words.append(f"scale {settings.scales[0]:g}")
    return " ".join([*words, *(["flip"] if settings.flip else [])])


def sliding(forward: Forward, tile: tuple[int, int], overlap: float) -> Forward:
    """Tiles one after the other, logits averaged where they overlap (GALD's public evaluation).

    An image below the tile's height or width is padded at the bottom or on the right.
    """

    def found(images: Tensor) -> Tensor:
        size = images.shape[-2:]
        height, width = (max(sides) for sides in zip(size, tile, strict=True))
        whole = padded(images, height, width)
        mean, seen = images.new_zeros(()), images.new_zeros((height, width))
        for top in starts(height, tile[0], overlap):
            for left in starts(width, tile[1], overlap):
                part = (..., slice(top, top + tile[0]), slice(left, left + tile[1]))
                logits = forward(whole[part])
                if mean.ndim == 0:  # the first tile says how many classes there are
                    mean = logits.new_zeros((*logits.shape[:2], height, width))
                seen[part] += 1
                # A running mean: what all tiles agree on stays as it is, to the bit.
                mean[part] += (logits - mean[part]) / seen[part]
        return mean[..., : size[0], : size[1]]

    return found


def starts(side: int, tile: int, overlap: float) -> list[int]:
    """First pixels of tiles that cover a `side` of at least `tile` pixels; the last ends with it.

    Neighbours share `overlap` of a tile, rounded down to pixels, or more at the end.
    """
    stride = max(1, math.ceil(tile * (1 - overlap) - 1e-9))  # 10 * (1 - 0.7) is a little over 3
    steps = math.ceil((side - tile) / stride)
    return [min(number * stride, side - tile) for number in range(steps + 1)]


def padded(images: Tensor, height: int, width: int) -> Tensor:
    """`images` in the top left corner of (B, 3, height, width), the mean colour around them."""
    if images.shape[-2:] == (height, width):
        return images
    colour = images.new_tensor(PADDING).view(1, 3, 1, 1)
    frame = colour.repeat(len(images), 1, height, width)
    frame[..., : images.shape[-2], : images.shape[-1]] = images
    return frame


def mirrored(forward: Forward) -> Forward:
    """The mean of the image and its mirror image, mirrored back."""

    def found(images: Tensor) -> Tensor:
        return mean_probability([forward(images), forward(images.flip(-1)).flip(-1)])

    return found


def multi_scale(
    forward: Forward, scales: Sequence[float], multiple_of: int, least: int = 1
) -> Forward:
    """The mean over the image at every one of `scales`, brought back to its size.

    Each scale becomes the nearest size that the model takes; see `scaled_size`.
    """

    def view(images: Tensor, scale: float) -> Tensor:
        size = images.shape[-2:]
        inputs = scaled_size((size[0], size[1]), scale, multiple_of, least)
        return bilinear(forward(bilinear(images, inputs, smooth=True)), size)

    def found(images: Tensor) -> Tensor:
        views = (view(images, scale) for scale in scales)
        return next(views) if len(scales) == 1 else mean_probability(views)

    return found


def scaled_size(
    size: tuple[int, int], scale: float, multiple_of: int, least: int = 1
) -> tuple[int, int]:
    """Height and width `scale` times `size`, to the nearest multiples not below `least`."""
    height, width = (nearest(round(side * scale), multiple_of, least) for side in size)
    return height, width


def bilinear(planes: Tensor, size: Sequence[int], *, smooth: bool = False) -> Tensor:
    """(B, C, h, w) at `size`; `smooth` averages over all that shrinking covers, as `triangle`."""
    if planes.shape[-2:] == tuple(size):
        return planes
    return F.interpolate(
        planes, tuple(size), mode="bilinear", align_corners=False, antialias=smooth
    )


def mean_probability(views: Iterable[Tensor]) -> Tensor:
    """Log of the mean of softmax(view) over classes, all (B, C, h, w), of at least one view."""
    total, count = torch.empty(()), 0
    for view in views:
        found = view.log_softmax(1)
        total = found if count == 0 else torch.logaddexp(total, found)
        count += 1
    return total - math.log(count)
