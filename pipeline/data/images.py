"""Image files as arrays, whatever mode they were saved in.

Every file is read as a person sees it: upright by its EXIF orientation, transparent pixels on
white, 16-bit grey scaled to 8 bits. Annotations of a photograph therefore count in its upright
frame. An image of up to `MAX_PIXELS` is decoded with at most 8 bytes a pixel at once.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from pipeline.errors import UserError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
MAX_PIXELS = 500_000_000
"""Larger images are refused from their header, before they can fill the memory."""

# Pillow's own limit lies at 179 million pixels, and warns from 89 on; ours replaces it.
Image.MAX_IMAGE_PIXELS = None
# What it says of EXIF cut short helps nobody: the pixels are read, or refused by name.
warnings.filterwarnings("ignore", "Corrupt EXIF data|Truncated File Read", UserWarning)

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "JPEG2000")
_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_BAND_PIXELS = 1 << 24
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Bytes = NDArray[np.uint8]


def read_rgb(path: Path) -> Bytes:
    """RGB pixels `(H, W, 3)` as a person sees the file; converts palettes, grey and CMYK.

    Raises `UserError`, naming the file, when it is missing, truncated, no image, of more than
    `MAX_PIXELS`, or holds real numbers, whose range nobody states.
    """
    return _in_bands(_decoded(path, str(path)), _rgb)


def read_stored(path: Path) -> Bytes:
    """`read_rgb` without turning the picture by EXIF, as benchmarks read theirs."""
    return _in_bands(_decoded(path, str(path), upright=False), _rgb)


def decode_rgb(data: bytes, name: str) -> Bytes:
    """`read_rgb` of a file's content; `name` is what errors call it."""
    return _in_bands(_decoded(io.BytesIO(data), name), _rgb)


def read_map(path: Path) -> NDArray[np.float32]:
    """A grey map `(H, W)`, 0-1: the full range of the file's bit depth is 1.

    Raises `UserError` as `read_rgb` does.
    """
    return _in_bands(_decoded(path, str(path)), _grey)


def read_ids(path: Path) -> NDArray[np.int32]:
    """Whole numbers `(H, W)` as a label image stores them: grey levels or places in a palette.

    Raises `UserError` as `read_rgb` does, and for a picture in colour.
    """
    image = _decoded(path, str(path))
    if image.mode not in ("L", "P", "1", *_DEEP):
        raise UserError(
            f"{path} is a picture in colour ({image.mode}), not an image of class ids; save the "
            "ids as grey levels or as places in a palette"
        )
    return np.asarray(image).astype(np.int32)


def read_size(path: Path) -> tuple[int, int]:
    """Height and width of the upright image, from the header alone."""
    with _opened(path, str(path)) as image:
        return _size(image)


def is_turned(path: Path) -> bool:
    """Whether the EXIF orientation exchanges height and width of what is stored."""
    with _opened(path, str(path)) as image:
        return _orientation(image) >= 5


def verify(path: Path, *, decode: bool = False) -> tuple[int, int]:
    """`read_size`, and `UserError` for a file that is cut short.

    JPEG and PNG files say where they end, so only one without its end is decoded; `decode` decodes
    every file, which finds what the other formats hide.
    """
    with _opened(path, str(path)) as image:
        if decode or not _has_end(path, image.format or ""):
            image.load()
        return _size(image)


def _decoded(source: Path | io.BytesIO, name: str, *, upright: bool = True) -> Image.Image:
    with _opened(source, name) as image:
        image.load()
        turn = _UPRIGHT.get(_orientation(image)) if upright else None
        return image.transpose(turn) if turn is not None else image


@contextlib.contextmanager
def _opened(source: Path | io.BytesIO, name: str) -> Iterator[Image.Image]:
    try:
        with Image.open(source, formats=_FORMATS) as image:
            _require_readable(image, name)
            yield image
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(
            f"image {name} is missing; restore it or register the right root"
        ) from error
    except UnidentifiedImageError as error:
        raise UserError(_unknown(source, name)) from error
    except MemoryError as error:
        raise UserError(f"image {name} is too large for this machine's memory") from error
    except Exception as error:  # decoders raise whatever damaged bytes lead them into
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"image {name} is damaged ({reason}); replace or remove it") from error


def _require_readable(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise UserError(
            f"image {name} has {width}x{height} pixels ({width * height / 1e6:.0f} million); "
            f"{MAX_PIXELS / 1e6:.0f} million are the most: make it smaller"
        )
    if image.mode == "F":
        raise UserError(
            f"image {name} holds real numbers of an unknown range; save it with 8 or 16 bits"
        )


def _unknown(source: Path | io.BytesIO, name: str) -> str:
    size = source.stat().st_size if isinstance(source, Path) else len(source.getvalue())
    if size == 0:
        return f"image {name} is empty (0 bytes); replace or remove it"
    return (
        f"{name} is not an image that can be read (JPEG, PNG, WebP, BMP, TIFF, GIF can); "
        "replace or remove it"
    )


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # damaged EXIF says nothing of the pixels
        return 1
    return value if isinstance(value, int) and value in _UPRIGHT else 1


def _size(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    return (width, height) if _orientation(image) >= 5 else (height, width)


def _has_end(path: Path, kind: str) -> bool:
    if kind not in ("JPEG", "MPO", "PNG"):
        return True
    with path.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, io.SEEK_END) - 16))
        tail = stream.read()
    return b"IEND" in tail if kind == "PNG" else tail.rstrip(b"\0").endswith(b"\xff\xd9")


def _in_bands(image: Image.Image, convert: Callable[[Image.Image], NDArray[Any]]) -> NDArray[Any]:
    """`convert` of horizontal bands, joined: whole, it would hold several copies of a picture."""
    width, height = image.size
    rows = max(1, _BAND_PIXELS // width)
    if rows >= height:
        return convert(image)
    first = convert(image.crop((0, 0, width, rows)))
    whole = np.empty((height, *first.shape[1:]), first.dtype)
    for top in range(0, height, rows):
        below = min(height, top + rows)
        whole[top:below] = convert(image.crop((0, top, width, below)))
    return whole


def _rgb(image: Image.Image) -> Bytes:
    if image.mode in _DEEP:
        grey = np.round(_deep(image) * 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    return np.array(_on_white(image), dtype=np.uint8)  # a copy: PIL's view is read-only


def _grey(image: Image.Image) -> NDArray[np.float32]:
    if image.mode in _DEEP:
        return _deep(image).astype(np.float32)
    return np.asarray(image.convert("L"), dtype=np.float32) / np.float32(255)


def _deep(image: Image.Image) -> NDArray[np.float64]:
    return np.clip(np.asarray(image, dtype=np.float64) / 65535.0, 0.0, 1.0)


def _on_white(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
