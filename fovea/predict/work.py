"""One photograph from pixels to files, each written whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from fovea.predict import classes, likeliest, picture, png
from fovea.predict.inputs import CLASSES, LOGITS, MAP, OVERLAY
from fovea.predict.picture import Levels, Map, Pixels
from mobile.backend import Runner
from pipeline.data.resize import resize
from pipeline.files import atomic_path, atomic_write_bytes


@dataclass(frozen=True)
class Wanted:
    """What is written for each photograph."""

    overlay: bool = True
    longest: int | None = 1024
    """Longer side of the overlay in pixels; None: as large as the photograph."""
    map: bool = True
    depth: int = 8
    """Bits of a map's pixel, 8 or 16."""
    logits: bool = False
    classes: bool = False
    """The likeliest classes of the whole image."""

    def fitting(self, whole: bool) -> Wanted:
        """As a model can give it: of one that names classes of the `whole` image, those alone."""
        return replace(self, overlay=False, map=False, classes=True) if whole else self

    @property
    def endings(self) -> tuple[str, ...]:
        """What the names of the written files end in."""
        chosen = (
            (OVERLAY, self.overlay),
            (MAP, self.map),
            (CLASSES, self.classes),
            (LOGITS, self.logits),
        )
        return tuple(ending for ending, written in chosen if written)


@dataclass(frozen=True)
class Job:
    """Pixels to come, and the place of what is made of them."""

    name: str
    """As the user knows it, for messages."""
    place: Path
    """Output path without its ending."""
    read: Callable[[], Pixels]
    """The pixels (H, W, 3), RGB; `UserError` when they cannot be had."""

    def files(self, wanted: Wanted) -> list[Path]:
        """The files it becomes."""
        return [self.place.with_name(self.place.name + end) for end in wanted.endings]


@dataclass(frozen=True)
class Predictor:
    """A loaded model, and what its output means."""

    runner: Runner
    height: int
    width: int
    meaning: str
    names: tuple[str, ...] = ()
    """Of its classes, where they are known."""

    def output(self, pixels: Pixels) -> Map:
        """The model's own output for a photograph (H, W, 3): (h, w), or a plane for each class."""
        small = resize(pixels, self.height, self.width)
        image = np.ascontiguousarray(small.transpose(2, 0, 1))[None]
        first: Map = self.runner.run(image)[0]
        return first if self.meaning == classes.MEANING else first[0]

    def shown(self, output: Map) -> Map:
        """The map (h, w), 0-1, of that output, if it is not one of classes."""
        return picture.probability(output, self.meaning)

    def drawn(
        self, pixels: Pixels, output: Map, wanted: Wanted
    ) -> tuple[Levels | None, Image.Image | None]:
        """Map at the size of a photograph (H, W, 3), and overlay; None for what is not wanted.

        A map of classes holds their indices, 8 bits deep.
        """
        if not (wanted.overlay or wanted.map):
            return None, None
        height, width, _ = pixels.shape
        photo = picture.grey(pixels, wanted.longest) if wanted.overlay else None
        same = photo is not None and photo.shape == (height, width)
        if self.meaning == classes.MEANING:
            found = classes.indices(output, height, width) if wanted.map or same else None
            if photo is None:
                return found, None
            small = found if same and found is not None else classes.indices(output, *photo.shape)
            names = self.names or ("",) * len(output)
            return found if wanted.map else None, classes.overlay(photo, small, names)
        shown = self.shown(output)
        full = resize(shown, height, width) if wanted.map else None
        painted = None
        if photo is not None:
            painted = picture.overlay(photo, full if same and full is not None else shown)
        return None if full is None else picture.levels(full, wanted.depth), painted


def write(job: Job, pixels: Pixels, predictor: Predictor, wanted: Wanted) -> None:
    """Write what is wanted of one photograph; `UserError` when it cannot be written."""
    overlay, map_, told, logits = (
        job.place.with_name(job.place.name + end) for end in (OVERLAY, MAP, CLASSES, LOGITS)
    )
    output = predictor.output(pixels)
    levels, painted = predictor.drawn(pixels, output, wanted)
    if levels is not None:
        atomic_write_bytes(map_, png.encode(levels))
    if painted is not None:
        with atomic_path(overlay) as temporary:
            picture.save_overlay(painted, temporary)
    if wanted.classes:
        atomic_write_bytes(told, likeliest.encoded(output, predictor.names))
    if wanted.logits:
        atomic_write_bytes(logits, npy(output))


def npy(output: Map) -> bytes:
    """The model's own output as `.npy`, float32."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(output, np.float32), allow_pickle=False)
    return buffer.getvalue()
