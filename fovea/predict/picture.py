"""From logits to pictures: the map as grey levels, and the map over the photograph.

The overlay looks as the report's (`pipeline/report/overlay.py`) and is drawn by table: the report's
colours are computed once for every pair of map level and grey level.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.data.resize import resize
from pipeline.errors import UserError

Pixels = NDArray[np.uint8]
Levels = NDArray[np.uint8] | NDArray[np.uint16]
Map = NDArray[np.float32]

MEANINGS = ("logits", "log-density")
"""Outputs that can be turned into one map; those of classes are drawn by `classes`."""
QUALITY = 88
"""Of overlays, as JPEG counts it."""
_LEVELS = 256
# Beyond it, exp overflows float32; the sigmoid is 0 or 1 to the last bit long before.
_LARGEST_LOGIT = 80.0


def probability(output: Map, meaning: str) -> Map:
    """The map (H, W), 0-1, of a model's `output` (H, W); a density has its peak at 1.

    Raises `UserError` for an output whose meaning is not known here.
    """
    if meaning not in MEANINGS:
        raise UserError(
            f"the model's output is {meaning!r}; only {', '.join(MEANINGS)} can be drawn. "
            "Update Fovea"
        )
    if meaning == "log-density":
        relative: Map = np.exp(output - output.max()).astype(np.float32)
        return relative
    held = np.clip(output, -_LARGEST_LOGIT, _LARGEST_LOGIT)
    shown: Map = np.reciprocal(1 + np.exp(-held), dtype=np.float32)
    return shown


def levels(shown: Map, depth: int = 8) -> Levels:
    """`shown` (H, W), 0-1, as whole levels of `depth` bits, 0 to 255 or 65535."""
    scaled = shown * np.float32(2**depth - 1)
    scaled += np.float32(0.5)
    return scaled.astype(np.uint8) if depth == 8 else scaled.astype(np.uint16)


def grey(photo: Pixels, longest: int | None) -> Pixels:
    """`photo` (H, W, 3) as grey levels, its longer side at most `longest` pixels (None: any)."""
    image = Image.fromarray(photo).convert("L")
    largest = max(image.size)
    if longest is not None and largest > longest:
        width, height = (max(1, round(side * longest / largest)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(image)


def overlay(photo: Pixels, shown: Map) -> Image.Image:
    """The map (h, w), in its own range, over a grey photograph (H, W)."""
    height, width = photo.shape
    fitted = shown if shown.shape == photo.shape else resize(shown, height, width)
    index = np.left_shift(_own_range(fitted), 8, dtype=np.uint16)
    index |= photo
    painted = _table().take(index)
    return Image.frombuffer("RGBX", (width, height), painted, "raw", "RGBX", 0, 1)


def save_overlay(image: Image.Image, path: Path) -> None:
    """Write an overlay as JPEG, whatever `path` ends in."""
    # The format's encoder lets other threads run only when it writes to a file by itself.
    image.save(path, "JPEG", quality=QUALITY)


def _own_range(shown: Map) -> Pixels:
    low, high = float(shown.min()), float(shown.max())
    span = high - low
    scaled = shown - np.float32(low)
    scaled *= np.float32((_LEVELS - 1) / span if span > 0 else 0.0)
    scaled += np.float32(0.5)
    result: Pixels = scaled.astype(np.uint8)
    return result


@functools.cache
def _table() -> NDArray[np.uint32]:
    """Pixels as 32-bit words, by map level times 256 plus grey level."""
    from pipeline.report.overlay import blend

    heat, grey = np.mgrid[0:_LEVELS, 0:_LEVELS].astype(np.uint8)
    words = np.full((_LEVELS, _LEVELS, 4), 255, np.uint8)
    words[..., :3] = blend(np.repeat(grey[..., None], 3, axis=2), heat)
    return words.view(np.uint32).reshape(-1)
