"""Training histories as series to draw, phase by phase in the configured order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from pipeline.config.schema import Student
from pipeline.paths import TEACHERS, TRAIN
from pipeline.report.read import CsvRow, number, table

Point = tuple[float, float]
POINTS = 160
"""Most points of one drawn line; longer histories are averaged in equal parts."""
_NOT_TERMS = ("phase", "epoch", "step", "lr", "loss")


@dataclass(frozen=True)
class Series:
    """One line: x in epochs since the phase began."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True)
class PhaseCurves:
    """How one phase of one model went."""

    model: str
    phase: str
    epochs: int
    losses: Sequence[Series]
    """Loss per step; more than one where steps alternate between objectives."""
    validation: Sequence[Series]
    """One per validation metric, at the end of each epoch."""
    best: tuple[str, float, float] | None = None
    """Metric, epoch (1-based) and value of the checkpoint that was kept."""
    stage: str = ""
    """The pipeline's stage that ran it."""


def all_curves(student: Student) -> list[PhaseCurves]:
    """Every phase of every teacher, then of the student; phases without history are left out."""
    found = []
    for name, teacher in student.teachers.items():
        for phase in teacher.phases:
            curves = read_phase(TEACHERS / name, phase, f"teacher {name}", "CC", smaller=False)
            found.append(_by(f"teacher@{name}", curves))
    for phase, settings in student.phases.items():
        smaller = settings.objective == "hint"
        curves = read_phase(TRAIN / phase, phase, student.name, settings.select, smaller)
        found.append(_by(f"train@{phase}", curves))
    return [curves for curves in found if curves is not None]


def _by(stage: str, curves: PhaseCurves | None) -> PhaseCurves | None:
    return None if curves is None else replace(curves, stage=stage)


def read_phase(
    folder: Path, phase: str, model: str, select: str, smaller: bool
) -> PhaseCurves | None:
    """Curves of `phase` from `folder/{steps,epochs}.csv`, or None where it left none.

    `select` is the metric whose best epoch was kept, `smaller` whether its best is the least.
    """
    steps = [row for row in table(folder / "steps.csv") if row["phase"] == phase]
    epochs = [row for row in table(folder / "epochs.csv") if row["phase"] == phase]
    if not epochs:
        return None
    validation = _validation(epochs, folder / "epochs.csv")
    chosen = [s.points for s in validation if s.name == select]
    best = None
    if chosen:
        sign = -1 if smaller else 1
        epoch, value = max(chosen[0], key=lambda point: (sign * point[1], -point[0]))
        best = (select, epoch, value)
    losses = _losses(steps, folder / "steps.csv")
    return PhaseCurves(model, phase, len(epochs), losses, validation, best)


def _validation(rows: Sequence[CsvRow], path: Path) -> list[Series]:
    names = sorted(column for column in rows[0] if column.startswith("val_"))
    series = []
    for name in names:
        values = [(int(row["epoch"]) + 1.0, number(row, name, path)) for row in rows]
        points = [(x, y) for x, y in values if y is not None]
        if points:
            series.append(Series(name.removeprefix("val_"), points))
    return series


def _losses(rows: Sequence[CsvRow], path: Path) -> list[Series]:
    """Loss against time; rows whose loss is made of other terms are another line."""
    length: dict[str, int] = {}
    for row in rows:
        length[row["epoch"]] = max(length.get(row["epoch"], 0), int(row["step"]) + 1)
    lines: dict[str, list[Point]] = {}
    for row in rows:
        terms = [c for c in row if c not in _NOT_TERMS and row[c] != ""]
        y = number(row, "loss", path)
        if y is not None:
            x = int(row["epoch"]) + (int(row["step"]) + 0.5) / length[row["epoch"]]
            lines.setdefault(" + ".join(terms), []).append((x, y))
    return [Series(name, points) for name, points in lines.items()]


def thin(points: Sequence[Point], most: int = POINTS) -> list[Point]:
    """At most `most` points: means over equal runs of neighbours."""
    if len(points) <= most:
        return list(points)
    borders = [round(i * len(points) / most) for i in range(most + 1)]
    return [_mean(points[a:b]) for a, b in pairwise(borders)]


def smooth(points: Sequence[Point], window: int) -> list[Point]:
    """Moving average over `window` neighbours on each side, as far as there are any."""
    smoothed = []
    for i, (x, _) in enumerate(points):
        near = points[max(0, i - window) : i + window + 1]
        smoothed.append((x, sum(y for _, y in near) / len(near)))
    return smoothed


def _mean(points: Sequence[Point]) -> Point:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
