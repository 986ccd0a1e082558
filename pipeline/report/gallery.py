"""Validation images from the best to the worst, with what people and each model saw in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import tasks
from pipeline.data import manifest
from pipeline.data.evaluation import Sample, samples
from pipeline.data.images import read_rgb
from pipeline.data.layouts import Record
from pipeline.data.resize import resize
from pipeline.errors import UserError
from pipeline.files import read_json
from pipeline.paths import CHECK, DATA, EVALUATE
from pipeline.pictures import read_logits
from pipeline.report import overlay
from pipeline.report.facts import STUDENT, TEACHER, Facts
from pipeline.report.numbers import fixed
from pipeline.tasks.saliency import Map, SaliencyTask, annotated

QUALITIES = (82, 70, 55, 40)
"""JPEG qualities, tried in turn until the pictures fit."""
LIMIT = 4 * 2**20
"""Most characters all pictures may take together."""


@dataclass(frozen=True)
class Panel:
    """One picture before it is encoded."""

    title: str
    alt: str
    pixels: overlay.Pixels
    score: str = ""
    """The metric of this map on this image."""


@dataclass(frozen=True)
class Picture:
    """One encoded picture."""

    title: str
    alt: str
    uri: str
    width: int
    height: int
    score: str


@dataclass(frozen=True)
class Row:
    """One validation image."""

    id: str
    place: str
    """`best`, `worst`, or the rank between."""
    metric: str
    """The student's score that ranks it."""
    pictures: Sequence[Picture]


def gallery(facts: Facts) -> list[Row]:
    """Every shown image. Raises `UserError` when an image or a map is missing."""
    shown = read_json(EVALUATE / "shown.json")
    records = {record.id: record for record in manifest.load_role(DATA, "val").records}
    unknown = [name for name in shown if name not in records]
    if unknown:
        raise UserError(f"image {unknown[0]} is not in val; run `dvc repro evaluate`")
    task = tasks.get(facts.config.student.task)
    panels = {name: _panels(facts, task, records[name]) for name in shown}
    encoded = fit(panels)
    metric = task.gated[-1]
    ranks = rank([(row["id"], row[metric]) for row in facts.per_image[STUDENT]])
    return [
        Row(name, place(ranks[name], len(ranks)), _score(facts, STUDENT, name, metric), pictures)
        for name, pictures in encoded.items()
    ]


def rank(scores: Sequence[tuple[str, float | None]]) -> dict[str, int]:
    """Place of each image from 1, the largest score first, undefined ones last."""
    ordered = sorted(scores, key=lambda row: (row[1] is None, -(row[1] or 0.0)))
    return {name: place for place, (name, _) in enumerate(ordered, 1)}


def place(number: int, total: int) -> str:
    """A rank in words."""
    if number == 1:
        return f"best of {total}"
    return f"worst of {total}" if number == total else f"rank {number} of {total}"


def fit(panels: dict[str, list[Panel]], limit: int = LIMIT) -> dict[str, list[Picture]]:
    """All panels encoded at the best quality at which they fit into `limit` characters.

    Raises `UserError` when they do not fit at the lowest.
    """
    for quality in QUALITIES:
        encoded = {name: [_encode(p, quality) for p in row] for name, row in panels.items()}
        if sum(len(p.uri) for row in encoded.values() for p in row) <= limit:
            return encoded
    raise UserError(f"the report's pictures do not fit into {limit} bytes; export fewer recipes")


def _encode(panel: Panel, quality: int) -> Picture:
    height, width = panel.pixels.shape[:2]
    uri = overlay.jpeg_uri(panel.pixels, quality)
    return Picture(panel.title, panel.alt, uri, width, height, panel.score)


def _panels(facts: Facts, task: SaliencyTask, record: Record) -> list[Panel]:
    image = read_rgb(record.image)
    sample = next(iter(samples([record], facts.height, facts.width)))
    counts, density = (part[0].numpy() for part in annotated(sample))
    photo = overlay.photograph(image)
    height, width = photo.shape[:2]
    people = overlay.blend(photo, resize(density, height, width))
    number = int(counts.sum())
    panels = [
        Panel("Image", f"Photograph {record.id}", photo),
        Panel(
            "People",
            f"Where people looked in {record.id}, {number} fixations",
            overlay.mark(people, _points(counts)),
            f"{number} fixations",
        ),
    ]
    metric = task.gated[-1]
    for name, title in _predictors(facts):
        logits = read_logits(EVALUATE / "logits" / name / f"{record.id}.npy")
        score = _score(facts, name, record.id, metric)
        panels.append(_panel(task, photo, record.id, title, logits, score))
    for file in facts.files:
        if file.quantised:
            logits = read_logits(CHECK / file.recipe / f"{record.id}.npy")
            score = f"{metric} {_measured(task, logits, sample, metric)}"
            panels.append(_panel(task, photo, record.id, file.title, logits, score))
    return panels


def _predictors(facts: Facts) -> list[tuple[str, str]]:
    names = [name for name in facts.means if name.startswith(TEACHER)]
    titles = [(name, f"Teacher {name.removeprefix(TEACHER)}") for name in sorted(names)]
    return [*titles, (STUDENT, "Student, torch")]


def _panel(
    task: SaliencyTask, photo: overlay.Pixels, name: str, title: str, logits: Map, score: str
) -> Panel:
    height, width = photo.shape[:2]
    heat = resize(task.probability(logits), height, width)
    alt = f"Saliency of {name} by {title[0].lower() + title[1:]}, {score}"
    return Panel(title, alt, overlay.blend(photo, heat), score)


def _points(counts: NDArray[Any]) -> NDArray[np.float64]:
    """Centres of the fixated pixels of `counts` (H, W), as shares of width and height."""
    rows, columns = np.nonzero(counts)
    height, width = counts.shape
    return np.stack([(columns + 0.5) / width, (rows + 0.5) / height], axis=1)


def _score(facts: Facts, predictor: str, name: str, metric: str) -> str:
    value = next(row[metric] for row in facts.per_image[predictor] if row["id"] == name)
    return f"{metric} {fixed(value, 3)}"


def _measured(task: SaliencyTask, logits: Map, sample: Sample, metric: str) -> str:
    # Kept as float16: exact to the three digits shown.
    return fixed(float(task.quick_score(logits, sample)[metric]), 3)
