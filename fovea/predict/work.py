"""One photograph from pixels to files, each written whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fovea.predict import picture, png
from fovea.predict.inputs import LOGITS, MAP, OVERLAY
from fovea.predict.picture import Map, Pixels
from mobile.backend import Runner
from pipeline.data.resize import resize
from pipeline.files import atomic_path, atomic_write_bytes
from pipeline.tasks.readout import map_of


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

    @property
    def endings(self) -> tuple[str, ...]:
        """What the names of the written files end in."""
        chosen = ((OVERLAY, self.overlay), (MAP, self.map), (LOGITS, self.logits))
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
    """A loaded model with what turns its output into a map."""

    runner: Runner
    height: int
    width: int
    meaning: str

    def output(self, pixels: Pixels) -> Map:
        """The model's own output (h, w) for a photograph (H, W, 3)."""
        small = resize(pixels, self.height, self.width)
        image = np.ascontiguousarray(small.transpose(2, 0, 1))[None]
        return map_of(self.runner.run(image))

    def shown(self, output: Map) -> Map:
        """The map (h, w), 0-1, of that output."""
        return picture.probability(output, self.meaning)


def write(job: Job, pixels: Pixels, output: Map, shown: Map, wanted: Wanted) -> None:
    """Write what is wanted of one photograph; `UserError` when it cannot be written."""
    overlay, levels, logits = (
        job.place.with_name(job.place.name + end) for end in (OVERLAY, MAP, LOGITS)
    )
    if wanted.map:
        full = resize(shown, *pixels.shape[:2])
        atomic_write_bytes(levels, png.encode(picture.levels(full, wanted.depth)))
    if wanted.overlay:
        photo = picture.grey(pixels, wanted.longest)
        same = wanted.map and photo.shape == full.shape
        painted = picture.overlay(photo, full if same else shown)
        with atomic_path(overlay) as temporary:
            picture.save_overlay(painted, temporary)
    if wanted.logits:
        atomic_write_bytes(logits, npy(output))


def npy(output: Map) -> bytes:
    """The model's own output as `.npy`, float32."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(output, np.float32), allow_pickle=False)
    return buffer.getvalue()
