"""Rows as dots: a dot for each seed, a bar for their range, a mark for their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from benchmarks.ablation.results import Spread, shown
from pipeline.report.numbers import MINUS
from pipeline.report.svg import Scale, drawing, element, label, line, padded, tick_labels

WIDTH, LEFT, RIGHT = 340, 10, 10
STEP, TOP, BOTTOM = 42, 4, 26
TICKS = 5


@dataclass(frozen=True)
class Dotted:
    """One row of a panel."""

    title: str
    spread: Spread | None
    """None draws the title alone, so that panels of one study line up."""
    best: bool = False


def panel(rows: Sequence[Dotted], metric: str, class_: str, digits: int = 4) -> Markup | None:
    """One metric of several rows on one scale; None where no row has it."""
    values = [value for row in rows if row.spread for value in row.spread.values]
    if not values:
        return None
    height = TOP + STEP * len(rows) + BOTTOM
    x = Scale(*padded(values, 0.1), LEFT, WIDTH - RIGHT)
    floor = TOP + STEP * len(rows)
    across = x.ticks(TICKS)
    parts = []
    for value, text in zip(across, tick_labels(across), strict=True):
        parts.append(line(x(value), TOP, x(value), floor, "grid"))
        parts.append(label(x(value), floor + 16, text, "tick", "middle"))
    parts.append(line(x.start, floor, x.end, floor, "axis"))
    for number, row in enumerate(rows):
        parts += _row(row, x, TOP + STEP * number, digits)
    told = "; ".join(f"{r.title} {shown(r.spread, digits)}" for r in rows if r.spread)
    return drawing(WIDTH, height, f"{metric}: {told}", f"chart dots {class_}", parts)


def _row(row: Dotted, x: Scale, top: float, digits: int) -> list[Markup]:
    middle = top + 28
    name = label(LEFT, top + 15, row.title, "row-title best" if row.best else "row-title")
    if row.spread is None:
        return [name, label(WIDTH - RIGHT, top + 15, "not run", "tick", "end")]
    spread = row.spread
    text = shown(spread, digits).replace("-", MINUS)
    kind = "value best" if row.best else "value"
    parts = [name, label(WIDTH - RIGHT, top + 15, text, kind, "end")]
    if len(spread.values) > 1:
        ends = x(min(spread.values)), x(max(spread.values))
        parts.append(line(ends[0], middle, ends[1], middle, "range"))
        parts += [
            element("circle", cx=x(value), cy=middle, r=3.0, class_="seed")
            for value in spread.values
        ]
    at = x(spread.mean)
    points = [(at, middle - 6), (at + 6, middle), (at, middle + 6), (at - 6, middle)]
    path = " ".join(f"{a:.2f},{b:.2f}" for a, b in points)
    return [*parts, element("polygon", points=path, class_="mean")]
