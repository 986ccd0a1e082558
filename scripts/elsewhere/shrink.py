"""Images and maps made as small as training allows, under their own names.

A name decides an image's id in some layouts, so a file keeps its suffix, and with it its format
where that is a common one; readers go by content.
"""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.data.images import read_map, read_rgb, read_size

MARGIN = 1.25
"""Pixels kept per pixel of the model's input, along each side."""
QUALITY = 95

_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def smaller_size(size: tuple[int, int], model: tuple[int, int]) -> tuple[int, int] | None:
    """Height and width of the copy, aspect kept, both sides at least `MARGIN` times the model's.

    `None` when the original is no larger than that.
    """
    scale = max(MARGIN * need / have for need, have in zip(model, size, strict=True))
    if scale >= 1:
        return None
    return math.ceil(size[0] * scale), math.ceil(size[1] * scale)


def image_bytes(path: Path, model: tuple[int, int]) -> bytes:
    """The image at `smaller_size`; the file as it is where that is no larger in bytes."""
    original = path.read_bytes()
    size = smaller_size(read_size(path), model)
    if size is None:
        return original
    shrunk = _encode(Image.fromarray(read_rgb(path)), size, path.suffix)
    return min(shrunk, original, key=len)


def map_bytes(path: Path, model: tuple[int, int]) -> bytes:
    """A grey map at `smaller_size`, 8 bits; the file as it is where that is no larger in bytes."""
    original = path.read_bytes()
    size = smaller_size(read_size(path), model)
    if size is None:
        return original
    levels = np.round(read_map(path) * 255).astype(np.uint8)
    return min(_encode(Image.fromarray(levels), size, path.suffix), original, key=len)


def _encode(image: Image.Image, size: tuple[int, int], suffix: str) -> bytes:
    # Lanczos, not the named resize: that one will run once more on the copy, and two triangles in
    # a row blur what one alone would keep.
    copy = image.resize((size[1], size[0]), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    kind = _FORMATS.get(suffix.lower(), "PNG")
    if kind == "JPEG":
        copy.save(stream, kind, quality=QUALITY, subsampling=0)
    elif kind == "WEBP":
        copy.save(stream, kind, quality=QUALITY)
    else:
        copy.save(stream, kind)
    return stream.getvalue()
