"""Saliency maps over photographs, as small JPEG data URIs."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Pixels = NDArray[np.uint8]
COLOURS = "inferno"
"""Perceptually uniform: equal steps of the map look equally large."""
WIDTH = 256
_GREY = np.array([0.299, 0.587, 0.114])
_FAINT, _STRONG = 0.45, 0.45
"""Opacity of the map's lowest value, and what its highest adds."""
_FINE = 4
"""Marks are drawn so many times larger and then shrunk: smooth edges."""


def photograph(image: Pixels, width: int = WIDTH) -> Pixels:
    """`image` (H, W, 3) at `width` pixels in its proportions; smaller ones stay as they are."""
    height, full = image.shape[:2]
    if full <= width:
        return image
    size = (width, max(1, round(height * width / full)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def own_range(heat: NDArray[Any]) -> NDArray[np.float64]:
    """`heat` (H, W) from its own least to its own largest value as 0-1; flat maps are 0."""
    values = heat.astype(np.float64)
    span = values.max() - values.min()
    result: NDArray[np.float64] = (values - values.min()) / span if span > 0 else 0 * values
    return result


def blend(photo: Pixels, heat: NDArray[Any]) -> Pixels:
    """`heat` (H, W), in its own range, over the grey `photo` (H, W, 3).

    The photograph loses its colour so that hue means attention only; high values cover it more.
    """
    shown = own_range(heat)[..., None]
    grey = (photo @ _GREY)[..., None] / 255
    colour = colormaps[COLOURS](shown[..., 0])[..., :3]
    opacity = _FAINT + _STRONG * shown
    mixed = (1 - opacity) * grey + opacity * colour
    pixels: Pixels = np.round(255 * np.clip(mixed, 0, 1)).astype(np.uint8)
    return pixels


def mark(pixels: Pixels, points: NDArray[Any]) -> Pixels:
    """Small rings at `points` (N, 2), x and y as shares of width and height."""
    height, width = pixels.shape[:2]
    canvas = Image.new("L", (width * _FINE, height * _FINE))
    pen = ImageDraw.Draw(canvas)
    reach = 1.4 * _FINE
    for x, y in points * (width * _FINE, height * _FINE):
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)
    shape = np.asarray(canvas.resize((width, height), Image.Resampling.BOX)) / 255
    opacity = 0.9 * shape[..., None]
    white = np.array([255.0, 255.0, 255.0])
    marked: Pixels = np.round((1 - opacity) * pixels + opacity * white).astype(np.uint8)
    return marked


def jpeg_uri(pixels: Pixels, quality: int) -> str:
    """A `data:` URI that holds `pixels` (H, W, 3) as JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def legend() -> str:
    """The colour map from low to high as a CSS gradient."""
    stops = [colormaps[COLOURS](i / 8)[:3] for i in range(9)]
    colours = ", ".join("#" + "".join(f"{round(255 * c):02x}" for c in stop) for stop in stops)
    return f"linear-gradient(90deg, {colours})"
