"""From a model's output to the picture that an app lays over a photograph.

The reference of every port: `mobile/apps/README.md` states the same in words, and the vectors
(`mobile.contract.vectors`) hold what these functions give.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

from mobile.backend import Array
from pipeline.data.resize import resize
from pipeline.tasks.readout import CLASS_LOGITS, probability

Pixels = NDArray[np.uint8]

COLOURS = "inferno"
"""Of matplotlib: equal steps of the map look equally large."""
FAINT, STRONG = 0.3, 0.6
"""Opacity of the lowest level, and what the highest adds."""
COVER = 158
"""Alpha of a class."""


def colour_table() -> Pixels:
    """(256, 3) RGB: the colour of every level of a map."""
    rows: Pixels = np.round(255 * colormaps[COLOURS](np.arange(256))[:, :3]).astype(np.uint8)
    return rows


def map_of(output: Array, meaning: str) -> Array:
    """What an `output` (h, w), or (C, h, w) of class logits, says: values of 0-1, same shape."""
    if meaning != CLASS_LOGITS:
        return probability(output, meaning)
    raised = np.exp(output.astype(np.float64) - output.max(axis=0))
    shares: Array = (raised / raised.sum(axis=0)).astype(np.float32)
    return shares


def heat(shown: Array) -> Pixels:
    """(h, w, 4): a map in its own range, in colours, low values more transparent than high ones."""
    values = shown.astype(np.float64)
    span = values.max() - values.min()
    share = (values - values.min()) / span if span > 0 else np.zeros_like(values)
    level = np.floor(255 * share + 0.5).astype(np.uint8)
    alpha = np.floor(255 * (FAINT + STRONG * np.arange(256) / 255) + 0.5).astype(np.uint8)
    return np.dstack([colour_table()[level], alpha[level]])


def classes(output: Array, colours: Pixels) -> tuple[Pixels, list[tuple[int, float]]]:
    """(h, w, 4) of class logits (C, h, w) in `colours` (C, 3); classes with shares, largest first.

    Of equal logits the first class counts, as of equal shares.
    """
    index = output.argmax(axis=0)
    alpha = np.full(index.shape, COVER, np.uint8)
    counts = np.bincount(index.ravel(), minlength=len(output))
    order = sorted(np.flatnonzero(counts), key=lambda each: (-counts[each], each))
    shares = [(int(each), float(counts[each] / index.size)) for each in order]
    return np.dstack([colours[index], alpha]), shares


def cutout(photo: Pixels, shown: Array) -> Pixels:
    """(H, W, 4): `photo` (H, W, 3), as opaque as the map (h, w), 0-1, says."""
    fitted = np.clip(resize(shown, *photo.shape[:2]), 0, 1).astype(np.float64)
    return np.dstack([photo, np.floor(255 * fitted + 0.5).astype(np.uint8)])


def hexadecimal(colours: Sequence[Sequence[int]] | Pixels) -> list[str]:
    """`#rrggbb` of RGB rows."""
    return ["#" + "".join(f"{int(value):02x}" for value in row) for row in colours]
