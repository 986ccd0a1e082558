"""A density map made of fixations, for data sets that come without."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from pipeline.data.fixations import Fixations


def density(watched: Fixations, sigma: float) -> NDArray[np.float32]:
    """The map (H, W), 0-1: fixated pixels, once each, under a Gaussian of `sigma` pixels.

    Nothing lies outside the image; the Gaussian ends at 4 sigma; the highest value is 1, or the map
    is 0 where nobody looked. So OSIE's authors do it (`computeFixationMaps.m`, sigma 24), and
    SALICON's API (`buildFixMap`, sigma 19, which mirrors the image at its border instead).
    """
    marked = (watched.counts() > 0).astype(np.float32)
    blurred: NDArray[np.float32] = gaussian_filter(marked, sigma, mode="constant")
    highest = blurred.max(initial=0)
    return blurred / highest if highest > 0 else blurred
