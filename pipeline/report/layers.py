"""The pictures of one validation image: the photograph, what people saw, what each model sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.evaluation import Sample, samples
from pipeline.data.images import read_rgb
from pipeline.data.layouts import Record
from pipeline.paths import CHECK, EVALUATE
from pipeline.pictures import read_logits
from pipeline.report import overlay
from pipeline.report.drawing import drawing
from pipeline.report.facts import STUDENT, TEACHER, Facts
from pipeline.report.numbers import fixed
from pipeline.tasks.readout import Map
from pipeline.tasks.task import DenseTask

WIDTH = 640
"""Of a photograph, pixels."""
GRID = 1000
"""Fixations are drawn on a grid of so many units across."""


@dataclass(frozen=True)
class Layer:
    """One map to lie over the photograph."""

    key: str
    """The same for the same predictor on every image."""
    title: str
    alt: str
    uri: str
    scores: Sequence[str] = ()
    """`CC 0.712`, for a map that is measured."""
    classes: frozenset[int] = frozenset()
    """Those that occur, in a map of classes."""
    listed: bool = True
    """Whether the gallery shows it: maps of float files look like torch's."""


@dataclass(frozen=True)
class Shot:
    """One validation image and all its maps."""

    id: str
    width: int
    height: int
    photo: str
    """Data URI."""
    dots: str
    """Fixations as an SVG path of points on a grid `GRID` units wide."""
    fixations: int
    layers: Sequence[Layer]

    @property
    def classes(self) -> frozenset[int]:
        """Those that occur in any layer."""
        return frozenset().union(*(layer.classes for layer in self.layers))

    @property
    def box(self) -> str:
        """The view box of `dots`."""
        return f"0 0 {GRID} {round(GRID * self.height / self.width)}"


def shoot(
    facts: Facts, task: DenseTask, record: Record, quality: int, *, whole: bool = True
) -> Shot:
    """All pictures of an image.

    Raises `UserError` when a map is damaged, or missing while the image is to be `whole`.
    """
    image = read_rgb(record.image)
    height, width = image.shape[:2]
    sample = next(iter(samples([record], facts.height, facts.width)))
    counts = np.zeros((1, 1), np.int32) if sample.counts is None else sample.counts.numpy()
    found = int(counts.sum())
    draw = drawing(task, record)
    people = draw.annotated(sample, width, height)
    title, alt = draw.told(sample)
    alt = ": ".join(filter(None, [alt, people.words]))
    layers = [Layer("people", title, alt, people.uri, classes=people.classes)]
    alike = {file.recipe for file in facts.files if not file.quantised}
    for key, title, path in sources(facts, record.id):
        if whole or path.exists():
            logits = read_logits(path)
            scores = measured(task, logits, sample)
            shown = draw.predicted(logits, width, height)
            by = draw.by(record.id, title[0].lower() + title[1:])
            alt = ", ".join([": ".join(filter(None, [by, shown.words])), *scores])
            listed = key not in alike
            layers.append(Layer(key, title, alt, shown.uri, scores, shown.classes, listed))
    photo = overlay.photo_uri(image, WIDTH, quality)
    return Shot(record.id, width, height, photo, dots(counts), found, layers)


def sources(facts: Facts, image: str) -> list[tuple[str, str, Path]]:
    """Key, title and place of the map of every predictor: teachers, student, executed files."""
    logits = EVALUATE / "logits"
    found = [
        (name, f"Teacher {name.removeprefix(TEACHER)}", logits / name / f"{image}.npy")
        for name in sorted(facts.means)
        if name.startswith(TEACHER)
    ]
    executed = [file for file in facts.files if file.executed]
    places = [CHECK / file.recipe / "torch" / f"{image}.npy" for file in executed]
    own = logits / STUDENT / f"{image}.npy"
    found.append((STUDENT, "Student, torch", next((p for p in places if p.exists()), own)))
    return found + [(f.recipe, f.title, CHECK / f.recipe / f"{image}.npy") for f in executed]


def measured(task: DenseTask, logits: Map, sample: Sample) -> list[str]:
    """The gated metrics of a kept map, which is exact to the three digits shown."""
    scores = task.quick_score(logits, sample)
    return [f"{name} {fixed(float(scores[name]), 3)}" for name in reversed(task.gated)]


def dots(counts: NDArray[Any]) -> str:
    """Fixated pixels of `counts` (H, W) as a path of points.

    Each has some length: browsers draw no caps of lines without length at a fixed width.
    """
    rows, columns = np.nonzero(counts)
    scale = GRID / counts.shape[1]
    xs = np.round((columns + 0.5) * scale).astype(int)
    ys = np.round((rows + 0.5) * scale).astype(int)
    return "".join(f"M{x} {y}h.1" for x, y in zip(xs, ys, strict=True))
