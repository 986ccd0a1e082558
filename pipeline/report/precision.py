"""Precision against recall: the mean curve of every predictor over the levels of its maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from pipeline.files import read_json
from pipeline.metrics.objects import Curve, f_of
from pipeline.paths import EVALUATE
from pipeline.report.facts import PRIOR, Facts
from pipeline.report.numbers import fixed
from pipeline.report.svg import Scale, drawing, element, label, line, polyline, tick_labels
from pipeline.report.tables import predictor_title, predictors

PATH = EVALUATE / "curves.json"
"""By predictor: `precision` and `recall` above each level of its maps."""
WIDE, NARROW = (720, 400), (372, 330)
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 40, 44
ROW = 18
"""Height of a line of the legend, pixels; it stands above, as the square may be full anywhere."""
FOUND = 1e-3
"""Recall from which a curve is drawn: where nothing is predicted, precision is 1 by definition."""
STYLES = 3
"""Colours of lines; the prior has one of its own."""


@dataclass(frozen=True)
class Named:
    """A predictor's curve as it is drawn."""

    title: str
    style: str
    curve: Curve
    best: int
    """The level with the largest F."""

    @property
    def largest(self) -> float:
        """That F."""
        return float(f_of(self.curve)[self.best])


def precision_charts(facts: Facts) -> tuple[Markup, Markup] | None:
    """All curves, for wide and for narrow screens; None for a task that has no such curves."""
    if not PATH.exists():
        return None
    found = read_json(PATH)
    curves = [named(facts, name, found[name], n) for n, name in enumerate(predictors(facts))]
    return chart(curves, *WIDE), chart(curves, *NARROW)


def named(facts: Facts, name: str, kept: Any, number: int) -> Named:
    """One predictor's."""
    curve = Curve(np.array(kept["precision"]), np.array(kept["recall"]))
    style = "m3 prior" if name == PRIOR else f"m{number % STYLES}"
    return Named(predictor_title(facts, name), style, curve, int(np.argmax(f_of(curve))))


def chart(curves: Sequence[Named], width: int, height: int) -> Markup:
    """Recall to the right, precision up, both from 0 to 1, a ring where F is largest."""
    x = Scale(0.0, 1.0, LEFT, width - RIGHT)
    more = ROW * len(curves)
    y = Scale(0.0, 1.0, height + more - BOTTOM, TOP + more)
    parts = [*_legend(curves), *_frame(x, y)]
    for each in reversed(curves):  # the student's lies on top
        points = list(zip(each.curve.recall.tolist(), each.curve.precision.tolist(), strict=True))
        drawn = [(x(a), y(b)) for a, b in points if a >= FOUND]
        parts.append(polyline(drawn, f"line {each.style}"))
        a, b = points[each.best]
        parts.append(element("circle", cx=x(a), cy=y(b), r=4.5, class_=f"peak {each.style}"))
    told = "; ".join(f"{c.title}, largest F {fixed(c.largest)}" for c in curves)
    return drawing(width, height + more, f"Precision against recall: {told}", "chart", parts)


def _frame(x: Scale, y: Scale) -> list[Markup]:
    parts = [label(0, y.end - 14, "precision ↑", "axis-title")]
    up = y.ticks(6)
    for value, text in zip(up, tick_labels(up), strict=True):
        parts.append(line(x.start, y(value), x.end, y(value), "grid"))
        parts.append(label(x.start - 7, y(value) + 4, text, "tick", "end"))
        parts.append(label(x(value), y.start + 16, text, "tick", "middle"))
    parts.append(line(x.start, y.start, x.end, y.start, "axis"))
    parts.append(label(x.end, y.start + 34, "recall →", "axis-title", "end"))
    return parts


def _legend(curves: Sequence[Named]) -> list[Markup]:
    parts = []
    for number, each in enumerate(curves):
        at = 18 + ROW * number
        parts.append(line(LEFT, at - 4, LEFT + 24, at - 4, f"line {each.style}"))
        text = f"{each.title}, largest F {fixed(each.largest)}"
        parts.append(label(LEFT + 32, at, text, "value"))
    return parts
