"""Which images are worth looking at: the best, the worst, and those a file loses most on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Rows = Sequence[Mapping[str, Any]]
"""Scores of one predictor, a row per image: `id`, and each metric's value or None."""

ROUNDING = 5e-4
"""Losses up to this do not show in three digits."""


@dataclass(frozen=True)
class Extreme:
    """The images at both ends of one metric; the first of the list where several are equal."""

    metric: str
    best: str
    best_value: float
    worst: str
    worst_value: float


@dataclass(frozen=True)
class Drop:
    """The image on which a file falls furthest behind torch by one metric."""

    metric: str
    image: str
    torch: float
    file: float

    @property
    def difference(self) -> float:
        """File minus torch."""
        return self.file - self.torch


def extremes(rows: Rows, metrics: Sequence[str], smaller: Collection[str] = ()) -> list[Extreme]:
    """Both ends of every metric; metrics that no image defines are left out."""
    found = []
    for metric in metrics:
        order = ranked(rows, metric, metric in smaller)
        if order:
            (best, top), (worst, bottom) = order[0], _first(order, order[-1][1])
            found.append(Extreme(metric, best, top, worst, bottom))
    return found


def ranked(rows: Rows, metric: str, smaller: bool = False) -> list[tuple[str, float]]:
    """Images that define `metric` with their values, the best first."""
    known = [(str(row["id"]), float(row[metric])) for row in rows if row.get(metric) is not None]
    return sorted(known, key=lambda pair: pair[1] if smaller else -pair[1])


def choose(
    rows: Rows,
    metrics: Sequence[str],
    smaller: Collection[str] = (),
    *,
    by: str,
    most: int,
) -> list[str]:
    """At most `most` images: both ends of each metric, then what lies evenly between.

    `metrics` in order of importance; the ends of the first win where there is no place for all.
    The images come from the best to the worst by `by`, those that do not define it last.
    """
    order = [name for name, _ in ranked(rows, by, by in smaller)]
    order += [str(row["id"]) for row in rows if row[by] is None]
    picked: dict[str, None] = {}
    for extreme in extremes(rows, metrics, smaller):
        picked |= {extreme.worst: None, extreme.best: None}
    chosen = set(list(picked)[:most])
    free = [name for name in order if name not in chosen]
    chosen |= set(_spread(free, most - len(chosen)))
    return [name for name in order if name in chosen]


def largest_drop(file: Rows, torch: Rows, metric: str) -> Drop | None:
    """Where `file` lost most against `torch` by `metric`, more being better.

    None where it lost nowhere more than `ROUNDING`.
    """
    reference = {row["id"]: row[metric] for row in torch}
    pairs = [
        Drop(metric, str(row["id"]), float(reference[row["id"]]), float(row[metric]))
        for row in file
        if row[metric] is not None and reference.get(row["id"]) is not None
    ]
    lowest = min(pairs, key=lambda drop: drop.difference, default=None)
    return lowest if lowest is not None and lowest.difference < -ROUNDING else None


def _first(order: Sequence[tuple[str, float]], value: float) -> tuple[str, float]:
    return next(pair for pair in order if pair[1] == value)


def _spread(names: Sequence[str], count: int) -> list[str]:
    """`count` of `names` at even distances, away from the ends; all where there are not more."""
    if count >= len(names):
        return list(names)
    return [names[int((i + 0.5) * len(names) / count)] for i in range(count)]
