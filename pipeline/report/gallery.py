"""Validation images worth looking at, from the best to the worst, each with why it is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline import tasks
from pipeline.data import manifest
from pipeline.data.layouts import Record
from pipeline.errors import UserError
from pipeline.files import read_json
from pipeline.paths import DATA, EVALUATE
from pipeline.report.drawing import Key, keys
from pipeline.report.extremes import Drop, Extreme, extremes, largest_drop, ranked
from pipeline.report.facts import STUDENT, Facts, File
from pipeline.report.layers import Shot, shoot
from pipeline.report.numbers import signed
from pipeline.tasks.task import DenseTask

QUALITIES = (80, 65, 50, 35)
"""WebP qualities of photographs, tried in turn until the pictures fit."""
LIMIT = 4 * 2**20
"""Most characters all pictures may take together."""
MOST_DROPS = 4
"""Most images shown only because a file loses much on them."""


@dataclass(frozen=True)
class Row:
    """One validation image."""

    shot: Shot
    place: str
    """Its rank."""
    tags: Sequence[str]
    """Which ends of which metrics it is."""


@dataclass(frozen=True)
class Gallery:
    """The shown images, and which are the ends of what."""

    rows: Sequence[Row]
    extremes: Sequence[Extreme]
    drops: Sequence[tuple[File, Drop]]
    keys: Sequence[Key] = ()
    """Classes that occur, where the maps are of classes."""


def gallery(facts: Facts) -> Gallery:
    """Every shown image. Raises `UserError` when an image or a map is missing."""
    task = tasks.of(facts.config.student)
    metric = task.gated[-1]
    scored = facts.per_image[STUDENT]
    ends = extremes(scored, task.metrics, task.smaller_is_better)
    losses = drops(facts, task)
    order = [name for name, _ in ranked(scored, metric)]
    order += [str(row["id"]) for row in scored if row[metric] is None]
    shown = read_json(EVALUATE / "shown.json")
    extra = [drop.image for _, drop in losses if drop.image not in shown]
    names = [*shown, *list(dict.fromkeys(extra))[:MOST_DROPS]]
    records = {record.id: record for record in manifest.load_role(DATA, "val").records}
    unknown = [name for name in names if name not in records]
    if unknown:
        raise UserError(f"image {unknown[0]} is not in val; run `dvc repro evaluate`")
    chosen = [records[name] for name in sorted(names, key=order.index)]

    def take(record: Record, quality: int) -> Shot:
        return shoot(facts, task, record, quality, whole=record.id in shown)

    shots = fit(chosen, take)
    rows = [
        Row(shot, place(order.index(shot.id) + 1, len(order), metric), tags(shot.id, ends, losses))
        for shot in shots
    ]
    occurring = [index for shot in shots for index in shot.classes]
    return Gallery(rows, ends, losses, keys(chosen[0].classes if chosen else None, occurring))


def drops(facts: Facts, task: DenseTask) -> list[tuple[File, Drop]]:
    """Where each quantised file loses most against torch, by each gated metric."""
    found = []
    for file in facts.files:
        if file.quantised and file.per_image:
            for metric in reversed(task.gated):
                drop = largest_drop(file.per_image, facts.per_image[STUDENT], metric)
                if drop:
                    found.append((file, drop))
    return found


def fit(
    records: Sequence[Record], take: Callable[[Record, int], Shot], limit: int = LIMIT
) -> list[Shot]:
    """All images at the best quality of photographs at which they fit into `limit` characters.

    Raises `UserError` when they do not fit at the lowest.
    """
    for quality in QUALITIES:
        shots = [take(record, quality) for record in records]
        if sum(weight(shot) for shot in shots) <= limit:
            return shots
    raise UserError(f"the report's pictures do not fit into {limit} bytes; export fewer recipes")


def weight(shot: Shot) -> int:
    """Characters an image takes in the page."""
    return len(shot.photo) + len(shot.dots) + sum(len(layer.uri) for layer in shot.layers)


def place(number: int, total: int, metric: str) -> str:
    """A rank in words."""
    return f"rank {number} of {total} by {metric}"


def tags(
    image: str, ends: Sequence[Extreme], losses: Sequence[tuple[File, Drop]] = ()
) -> list[str]:
    """Why an image is shown, in words."""
    best = [end.metric for end in ends if end.best == image]
    worst = [end.metric for end in ends if end.worst == image]
    found = [f"best {', '.join(best)}"] * bool(best) + [f"worst {', '.join(worst)}"] * bool(worst)
    lost: dict[str, list[str]] = {}
    for file, drop in losses:
        if drop.image == image:
            lost.setdefault(file.title, []).append(f"{drop.metric} {signed(drop.difference, 3)}")
    return found + [f"{title} loses most: {', '.join(parts)}" for title, parts in lost.items()]
