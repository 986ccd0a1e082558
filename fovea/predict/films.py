"""Frames of films and cameras: GIF and WebP through Pillow, everything else through OpenCV."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import UserError

if TYPE_CHECKING:
    from fovea.predict.picture import Pixels

ANIMATIONS = (".gif", ".webp")
FILMS = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg")
NEEDS_OPENCV = (
    "{what} needs OpenCV, which Fovea does not install: pip install opencv-python-headless"
)


def is_film(path: Path) -> bool:
    """Whether a file holds several pictures: by its ending, and WebP by looking."""
    suffix = path.suffix.lower()
    if suffix == ".webp":
        return path.is_file() and _pictures(path) > 1
    return suffix == ".gif" or suffix in FILMS


def frames(path: Path) -> Iterator[Pixels]:
    """Every frame (H, W, 3) RGB of a film, in order.

    Raises `UserError` for a file that cannot be read, and where OpenCV is needed and missing.
    """
    if path.suffix.lower() in ANIMATIONS:
        return _animation(path)
    return _captured(str(path), f"reading {path.name}", f"{path} is not a film that can be read")


def camera(number: int) -> Iterator[Pixels]:
    """Frames of a camera, until it stops or the iterator is closed; `UserError` without one."""
    return _captured(
        number, "a webcam", f"camera {number} cannot be opened; is it plugged in and free?"
    )


def _pictures(path: Path) -> int:
    from PIL import Image

    with contextlib.suppress(OSError), Image.open(path) as image:
        return int(getattr(image, "n_frames", 1))
    return 1


def _animation(path: Path) -> Iterator[Pixels]:
    from PIL import Image, ImageSequence

    try:
        with Image.open(path) as image:
            for frame in ImageSequence.Iterator(image):
                shown = frame.convert("RGBA")
                white = Image.new("RGBA", shown.size, (255, 255, 255, 255))
                yield np.array(Image.alpha_composite(white, shown).convert("RGB"))
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist") from error
    except Exception as error:  # decoders raise whatever damaged bytes lead them into
        raise UserError(f"{path} is damaged ({error}); frames before it are done") from error


def _captured(source: str | int, what: str, refused: str) -> Iterator[Pixels]:
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")  # our own message says it in one line
    try:
        cv2: Any = importlib.import_module("cv2")
    except ModuleNotFoundError as error:
        raise UserError(NEEDS_OPENCV.format(what=what)) from error
    film: Any = cv2.VideoCapture(source)
    if not film.isOpened():
        raise UserError(refused)
    return _read(film, cv2.COLOR_BGR2RGB, cv2.cvtColor)


def _read(film: Any, order: int, convert: Any) -> Iterator[Pixels]:
    try:
        for _ in itertools.count():
            there, frame = film.read()
            if not there:
                return
            yield convert(frame, order)
    finally:
        film.release()
