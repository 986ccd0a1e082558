"""Jobs from what the user named: photographs, films, a camera, or bytes on standard input."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from fovea.predict.inputs import Photo
from fovea.predict.picture import Pixels
from fovea.predict.work import Job
from pipeline.errors import UserError

STDIN = "standard input"


def of_photo(photo: Photo, out: Path, least: tuple[int, int] | None) -> Job:
    """A photograph; `least` (height, width) lets a JPEG be decoded at a fraction of its size."""
    read = functools.partial(read_photo, photo.path, least)
    return Job(str(photo.path), out / photo.place, read)


def of_frames(frames: Iterable[Pixels], place: Path, every: int, most: int | None) -> Iterator[Job]:
    """Each `every`-th frame of a film, `most` of them, numbered as in the film from 0."""
    chosen = itertools.islice(enumerate(frames), 0, None, every)
    for number, pixels in itertools.islice(chosen, most):
        yield Job(f"frame {number}", place / f"{number:06d}", functools.partial(_same, pixels))


def of_stdin(stream: BinaryIO, place: Path) -> Job:
    """The one picture whose bytes `stream` holds."""
    return Job(STDIN, place, functools.partial(read_bytes, stream))


def read_photo(path: Path, least: tuple[int, int] | None = None) -> Pixels:
    """RGB pixels (H, W, 3) of a file; `UserError` when it is no picture or a damaged one."""
    from pipeline.data.images import read_rgb

    reduced = None if least is None else _reduced(path, *least)
    return read_rgb(path) if reduced is None else reduced


def read_bytes(stream: BinaryIO) -> Pixels:
    """RGB pixels of a whole file from a stream; `UserError` as `read_photo`."""
    from pipeline.data.images import decode_rgb

    data = stream.read()
    if not data:
        raise UserError(f"{STDIN} is empty; pipe one picture into it")
    return decode_rgb(data, STDIN)


def _same(pixels: Pixels) -> Pixels:
    return pixels


def _reduced(path: Path, height: int, width: int) -> Pixels | None:
    """A JPEG decoded at 1/2, 1/4 or 1/8 of its size, still no smaller than asked; else None.

    The decoder leaves out the finest detail instead of averaging it: quicker, not the same pixels.
    """
    import numpy as np
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            if image.format != "JPEG" or image.mode != "RGB":
                return None
            image.draft("RGB", (width, height))
            return np.array(ImageOps.exif_transpose(image))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None  # the project's own reader says what is wrong
