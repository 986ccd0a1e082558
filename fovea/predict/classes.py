"""Maps of classes: the index of the likeliest class at every pixel, and its colour."""

from __future__ import annotations

import functools
import itertools

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fovea.predict.picture import Map, Pixels
from pipeline.data.resize import resize
from pipeline.errors import UserError

MEANING = "class-logits"
MOST = 256
"""Classes that a pixel of 8 bits can name."""
_GREYS = 256


def indices(output: Map, height: int, width: int) -> Pixels:
    """Class of every pixel (height, width) of class logits (classes, h, w).

    The logits are enlarged, then the largest is taken, as for the metrics. Raises `UserError` for
    another number of axes and for more classes than 8 bits can name.
    """
    if output.ndim != 3 or not 2 <= len(output) <= MOST:
        raise UserError(
            f"the model gives {' × '.join(map(str, output.shape))} numbers, not a plane for each "
            f"of 2 to {MOST} classes; update Fovea, or export the model again"
        )
    if output.shape[1:] == (height, width):
        same: Pixels = output.argmax(axis=0).astype(np.uint8)
        return same
    shrinks = height < output.shape[1] or width < output.shape[2]
    # One plane at a time: all of them at a photograph's size would not fit into memory.
    first, *others = range(len(output)) if shrinks else candidates(output)
    found = np.full((height, width), first, np.uint8)
    best = resize(output[first], height, width)
    for index in others:
        plane = resize(output[index], height, width)
        larger = plane > best
        found[larger] = index
        np.maximum(best, plane, out=best)
    return found


def candidates(output: Map) -> list[int]:
    """Classes that can be the largest somewhere between the pixels of (classes, h, w), sorted.

    Between four neighbours a class is nowhere above one that exceeds it at all four. What an
    enlarged map cannot show need not be enlarged, and of many classes few are in a picture.
    """
    _, height, width = output.shape
    rival = output.argmax(axis=0)[None]  # of the neighbours below and to the right of each pixel
    held = np.zeros(len(output), bool)
    for i, j in itertools.product((0, 1), (0, 1)):
        corner = output[:, i:, j:]
        least = np.take_along_axis(corner, rival[:, : height - i, : width - j], axis=0)
        held |= (corner >= least).any(axis=(1, 2))
    return [int(index) for index in np.flatnonzero(held)]


def overlay(photo: Pixels, found: Pixels, names: tuple[str, ...]) -> Image.Image:
    """The colours of classes (H, W) over a grey photograph (H, W); unknown names are empty."""
    height, width = photo.shape
    index = np.left_shift(found, 8, dtype=np.uint16)
    index |= photo
    painted = _table(names).take(index)
    return Image.frombuffer("RGBX", (width, height), painted, "raw", "RGBX", 0, 1)


@functools.cache
def _table(names: tuple[str, ...]) -> NDArray[np.uint32]:
    """Pixels as 32-bit words, by class times 256 plus grey level."""
    from pipeline.data.classes import colours_of
    from pipeline.report.overlay import blend_classes

    shape = (len(names), _GREYS, 3)
    grey = np.broadcast_to(np.arange(_GREYS, dtype=np.uint8)[None, :, None], shape)
    words = np.full((len(names), _GREYS, 4), 255, np.uint8)
    words[..., :3] = blend_classes(grey, colours_of(names)[:, None])
    return words.view(np.uint32).reshape(-1)
