"""Groups of images on which a file may lose more than on average, told by annotation and picture.

Each group is defined by one measure of an image that no model has a part in:

* `small regions`: half of the density's mass lies on a share of the image's area that is among the
  smallest third of the images;
* `crowded`: three (`CROWDED`) or more separate regions reach half of the density's peak;
* `low contrast`: the RMS contrast of the grey picture, at the model's input size, is among the
  lowest third.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.floating]

SMALL, CROWDED_NAME, DULL = "small regions", "crowded", "low contrast"
NAMES = (SMALL, CROWDED_NAME, DULL)
CROWDED = 3
"""Regions from which on an image is crowded."""
THIRD = 1 / 3
_LUMA = np.array([0.299, 0.587, 0.114])
_NEIGHBOURS = np.ones((3, 3), dtype=np.int8)


@dataclass(frozen=True)
class Scene:
    """What one image measures; the first two are None where it has no density."""

    focus: float | None
    """Smallest share of the area, 0-1, that holds half of the density's mass."""
    regions: int | None
    """Regions, joined over edges and corners, of at least half of the density's peak."""
    contrast: float
    """Standard deviation of the grey picture, levels 0-1."""


def measure(image: Floats, density: Floats | None) -> Scene:
    """Of an image (3, h, w), RGB 0-255, and its density (H, W), not negative, of any scale."""
    contrast = float(np.std(np.tensordot(_LUMA, image, axes=1)) / 255)
    if density is None or not density.any():
        return Scene(None, None, contrast)
    return Scene(focus(density), regions(density), contrast)


def focus(density: Floats) -> float:
    """Smallest share of pixels that holds half of the mass of a density (H, W)."""
    reached = np.cumsum(np.sort(density, axis=None)[::-1], dtype=np.float64)
    return float((np.searchsorted(reached, reached[-1] / 2) + 1) / density.size)


def regions(density: Floats) -> int:
    """Connected regions of a density (H, W) that reach half of its peak."""
    count: int = ndimage.label(density >= density.max() / 2, structure=_NEIGHBOURS)[1]
    return count


def strata(scenes: Mapping[str, Scene]) -> dict[str, list[str]]:
    """Ids of the images of every stratum, in the order given; an image may be in several.

    Where every image measures the same, none is among the lowest.
    """
    focused = {name: s.focus for name, s in scenes.items() if s.focus is not None}
    contrasts = {name: s.contrast for name, s in scenes.items()}
    return {
        SMALL: _lowest(focused),
        CROWDED_NAME: [n for n, s in scenes.items() if (s.regions or 0) >= CROWDED],
        DULL: _lowest(contrasts),
    }


def _lowest(values: Mapping[str, float]) -> list[str]:
    if not values:
        return []
    every: Sequence[float] = list(values.values())
    bound = float(np.quantile(every, THIRD))
    if bound == max(every):
        return []
    return [name for name, value in values.items() if value <= bound]
