"""Maps over photographs, of one value or of classes, as pixels and as small data URIs."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
COLOURS = "inferno"
"""Perceptually uniform: equal steps of the map look equally large."""
WIDTH = 256
LAYER, LEVELS = 160, 64
"""Longer side in pixels and steps of colour of a map that lies over a photograph."""
LABELS = 320
"""Longer side in pixels of a map of classes: its borders are sharp."""
COVER = 0.62
"""Opacity of a class's colour."""
_GREY = np.array([0.299, 0.587, 0.114])
_FAINT, _STRONG = 0.3, 0.6
"""Opacity of the map's lowest value, and what its highest adds."""


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


def blend_classes(photo: Pixels, colours: NDArray[Any]) -> Pixels:
    """`colours` (H, W, 3), those of the classes, evenly over the grey `photo` (H, W, 3)."""
    mixed = (1 - COVER) * (photo @ _GREY)[..., None] + COVER * colours
    pixels: Pixels = np.round(mixed).astype(np.uint8)
    return pixels


def legend() -> str:
    """The colour map from low to high as a CSS gradient."""
    stops = [colormaps[COLOURS](i / 8)[:3] for i in range(9)]
    colours = ", ".join("#" + "".join(f"{round(255 * c):02x}" for c in stop) for stop in stops)
    return f"linear-gradient(90deg, {colours})"


def photo_uri(image: Pixels, width: int, quality: int) -> str:
    """A `data:` URI that holds `image` (H, W, 3), at most `width` wide, as WebP."""
    buffer = io.BytesIO()
    Image.fromarray(photograph(image, width)).save(buffer, "WEBP", quality=quality, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def layer_uri(heat: NDArray[Any], width: int, height: int) -> str:
    """A `data:` URI that holds `heat` (H, W) in its own range as a PNG to lie over a photograph.

    The colour map is applied here, low values are more transparent than high ones. The picture is
    at most `LAYER` pixels long in the proportions of a `width` x `height` photograph: browsers
    enlarge it smoothly, and maps are smooth.
    """
    share = LAYER / max(width, height)
    size = (max(1, round(width * share)), max(1, round(height * share)))
    small = Image.fromarray(own_range(heat).astype(np.float32))
    values = np.asarray(small.resize(size, Image.Resampling.BILINEAR))
    levels = np.clip(np.round(values * (LEVELS - 1)), 0, LEVELS - 1).astype(np.uint8)
    steps = np.linspace(0, 1, LEVELS)
    picture = Image.frombytes("P", size, levels.tobytes())
    picture.putpalette(np.round(255 * colormaps[COLOURS](steps)[:, :3]).astype(np.uint8).tobytes())
    opacity = np.round(255 * (_FAINT + _STRONG * steps)).astype(np.uint8).tobytes()
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True, transparency=opacity)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def label_size(width: int, height: int) -> tuple[int, int]:
    """Height and width of a map of classes over a `width` x `height` photograph: `LABELS` long."""
    share = LABELS / max(width, height)
    return max(1, round(height * share)), max(1, round(width * share))


def labels_uri(indices: Pixels, colours: Pixels) -> str:
    """A `data:` URI that holds class `indices` (H, W) in `colours` (classes, 3) as a PNG.

    Every class is as transparent as the others; indices without a colour are not to be seen.
    """
    number = len(colours)
    kept = np.minimum(indices, number).astype(np.uint8)
    picture = Image.frombytes("P", kept.shape[::-1], kept.tobytes())
    picture.putpalette(np.vstack([colours, np.zeros((1, 3), np.uint8)])[:256].tobytes())
    opacity = bytes([round(255 * COVER)] * number + [0])[:256]
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True, transparency=opacity)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
