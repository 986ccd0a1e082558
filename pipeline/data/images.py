"""Image files as arrays, whatever mode they were saved in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.errors import UserError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")

_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N")


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """RGB pixels `(H, W, 3)` as a person sees the file.

    Turns by the EXIF orientation, lays transparent pixels on white, converts palettes, grey and
    CMYK, and scales 16-bit grey to 8 bits. Raises `UserError`, naming the file, when it is
    missing, truncated or no image.
    """
    with _opened(path) as stored:
        image = ImageOps.exif_transpose(stored)
        if image.mode in _DEEP:
            grey = np.round(_deep(image) * 255).astype(np.uint8)
            return np.repeat(grey[:, :, None], 3, axis=2)
        return np.array(_on_white(image), dtype=np.uint8)  # a copy: PIL's view is read-only


def read_map(path: Path) -> NDArray[np.float32]:
    """A grey map `(H, W)`, 0-1: the full range of the file's bit depth is 1.

    Raises `UserError` as `read_rgb` does.
    """
    with _opened(path) as image:
        if image.mode in _DEEP:
            return _deep(image).astype(np.float32)
        return np.asarray(image.convert("L"), dtype=np.float32) / np.float32(255)


def read_size(path: Path) -> tuple[int, int]:
    """Height and width of the upright image, from the header alone."""
    with _opened(path) as image:
        width, height = image.size
        turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        return (width, height) if turned else (height, width)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path) as image:
            yield image
    except FileNotFoundError as error:
        raise UserError(
            f"image {path} is missing; restore it or register the right root"
        ) from error
    except UnidentifiedImageError as error:
        raise UserError(f"{path} is not an image that can be read; replace or remove it") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"image {path} is damaged ({error}); replace or remove it") from error


def _deep(image: Image.Image) -> NDArray[np.float64]:
    return np.clip(np.asarray(image, dtype=np.float64) / 65535.0, 0.0, 1.0)


def _on_white(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")
