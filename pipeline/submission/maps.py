"""From a model's map to the bytes of a submission's file, always of the image's own size."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from pipeline.data.resize import resize

READOUTS = ("softmax", "sigmoid")
"""How logits become a density: softmax over pixels (FastSal, Eq. 3), or the map over its sum."""
FLOOR = 1e-12
"""Least probability of a pixel, as the FastSal authors export; the rest is scaled for it."""
QUALITY = 95
"""Of maps as JPEG."""

Map = NDArray[np.float32]
Size = tuple[int, int]


def grey(shown: Map, size: Size, blur: float = 0.0) -> NDArray[np.uint8]:
    """A map (h, w) as grey levels at `size` (height, width): its least value 0, its highest 255.

    Resized by the one named resize, then blurred by a Gaussian of `blur` pixels where it is above
    0. A map of one value throughout is 0.
    """
    full = _full(shown, size, blur)
    least, most = float(full.min()), float(full.max())
    if not most > least:
        return np.zeros(size, np.uint8)
    # In doubles: 255 over the least spans that float32 has is beyond float32.
    shares = (full.astype(np.float64) - least) / (most - least)
    levels: NDArray[np.uint8] = np.rint(255 * shares).astype(np.uint8)
    return levels


def log_density(logits: Map, readout: str, size: Size, blur: float = 0.0) -> Map:
    """Natural logarithm of the density (height, width) float32; its exponentials sum to 1.

    `readout` is one of `READOUTS`; the density is resized and blurred as `grey` does, held above
    `FLOOR` and divided by its sum. Raises `ValueError` for another readout.
    """
    if readout not in READOUTS:
        raise ValueError(f"no readout is called {readout!r}; choose {' or '.join(READOUTS)}")
    held = logits.astype(np.float64)
    small = np.exp(held - held.max()) if readout == "softmax" else 1 / (1 + np.exp(-held))
    full = _full((small / small.sum()).astype(np.float32), size, blur).astype(np.float64)
    density = np.maximum(full / full.sum(), FLOOR)
    result: Map = np.log(density / density.sum()).astype(np.float32)
    return result


def encode(values: NDArray[np.uint8] | Map, suffix: str) -> bytes:
    """The file of grey levels (`.png`, `.jpg`) or of a log-density (`.npy`).

    Equal arguments give equal bytes. Raises `ValueError` for another suffix.
    """
    buffer = io.BytesIO()
    if suffix == ".npy":
        np.save(buffer, values, allow_pickle=False)
    elif suffix == ".png":
        Image.fromarray(values).save(buffer, "PNG")
    elif suffix == ".jpg":
        Image.fromarray(values).save(buffer, "JPEG", quality=QUALITY)
    else:
        raise ValueError(f"no form of a map ends in {suffix!r}")
    return buffer.getvalue()


def _full(values: Map, size: Size, blur: float) -> Map:
    full = resize(values, *size)
    if blur > 0:
        full = gaussian_filter(full, blur, mode="nearest")
    return full
