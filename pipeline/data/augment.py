"""How a training image is shown: mirrored, enlarged and cut, or shrunk within its frame."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PADDING = (124, 116, 104)
"""RGB around a shrunk image: about the mean of photographs, so that networks see zeros there."""

Array = NDArray[Any]
Shrink = Callable[[Array, int, int], Array]
"""An array whose last two axes are rows and columns, at another size."""


@dataclass(frozen=True)
class View:
    """One way to show an image."""

    flip: bool = False
    """Mirrored left to right."""
    scale: float = 1.0
    """Above 1 a part of the image is enlarged; below 1 all of it is shrunk."""
    x: float = 0.5
    y: float = 0.5
    """Where that part lies in the image, or the shrunk image in the frame: 0 left or top, 1 the
    other side."""
    stretch: float = 1.0
    """Width over height of an enlarged part, as a factor of the image's own."""


def viewed(
    array: Array, view: View, height: int, width: int, shrink: Shrink, fill: Array | float
) -> Array:
    """`array` (…, H, W) as `view` shows it in (…, height, width).

    `shrink` resizes it, `fill` (broadcast to (…, 1, 1)) lies around a shrunk image. A crop is thus
    never larger than its image.
    """
    if view.scale == 1:
        found = shrink(array, height, width)
    elif view.scale > 1:
        rows, columns = array.shape[-2:]
        wider = math.sqrt(view.stretch)  # as much lower, so that the area stays
        height_of, width_of = rows / (view.scale * wider), columns * wider / view.scale
        part = (_within(height_of, rows), _within(width_of, columns))
        top, left = round(view.y * (rows - part[0])), round(view.x * (columns - part[1]))
        cut = array[..., top : top + part[0], left : left + part[1]]
        found = shrink(np.ascontiguousarray(cut), height, width)
    else:
        size = (max(1, round(height * view.scale)), max(1, round(width * view.scale)))
        small = shrink(array, *size)
        found = np.empty((*small.shape[:-2], height, width), small.dtype)
        found[...] = fill
        top, left = round(view.y * (height - size[0])), round(view.x * (width - size[1]))
        found[..., top : top + size[0], left : left + size[1]] = small
    return np.ascontiguousarray(found[..., ::-1] if view.flip else found)


def _within(pixels: float, most: int) -> int:
    return min(max(1, round(pixels)), most)
