"""The whole training in one picture: every phase a band, its validation metric, what was kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.report.curves import PhaseCurves, Point
from pipeline.report.numbers import count, fixed
from pipeline.report.svg import (
    Scale,
    drawing,
    element,
    label,
    line,
    padded,
    polyline,
    tick_labels,
)

LEFT, RIGHT, TOP, BOTTOM = 46, 8, 48, 42


@dataclass(frozen=True)
class Band:
    """A phase's place in the picture."""

    curves: PhaseCurves
    start: float
    end: float

    def at(self, epoch: float) -> float:
        """Pixels of the end of an epoch, counted from 1."""
        return self.start + (self.end - self.start) * epoch / self.curves.epochs


def course(phases: Sequence[PhaseCurves], metric: str, width: int, height: int) -> Markup | None:
    """All phases one after the other, each as wide as the others.

    None where no phase was validated by `metric`.
    """
    found = [point for curves in phases for point in values(curves, metric)]
    if not found:
        return None
    y = Scale(*padded([value for _, value in found], 0.2), height - BOTTOM, TOP)
    laid = bands(phases, LEFT, width - RIGHT)
    parts: list[Markup] = []
    for number, band in enumerate(laid):
        size = {"width": band.end - band.start, "height": y.start - TOP}
        shade = f"band b{number % 2}"
        parts.append(element("rect", x=band.start, y=TOP, **size, class_=shade))
    up = y.ticks(5)
    for value, text in zip(up, tick_labels(up), strict=True):
        parts.append(line(LEFT, y(value), width - RIGHT, y(value), "grid"))
        parts.append(label(LEFT - 7, y(value) + 4, text, "tick", "end"))
    parts.append(line(LEFT, y.start, width - RIGHT, y.start, "axis"))
    parts.append(label(0, 12, f"validation {metric} ↑", "axis-title"))
    models = list(dict.fromkeys(curves.model for curves in phases))
    for number, model in enumerate(models):
        own = [band for band in laid if band.curves.model == model]
        parts += _model(own, y)
        for band in own:
            parts += _band(band, metric, y, number)
    return drawing(width, height, _told(phases, metric), "chart course", parts)


def values(curves: PhaseCurves, metric: str) -> Sequence[Point]:
    """Epoch and value of the validations of one phase; empty where it has none by `metric`."""
    return next((series.points for series in curves.validation if series.name == metric), ())


def bands(phases: Sequence[PhaseCurves], start: float, end: float) -> list[Band]:
    """Phases side by side from `start` to `end`."""
    step = (end - start) / len(phases)
    return [Band(c, start + n * step, start + (n + 1) * step) for n, c in enumerate(phases)]


def _model(own: Sequence[Band], y: Scale) -> list[Markup]:
    """A bracket below the phases of one model."""
    start, end, low = own[0].start + 3, own[-1].end - 3, y.start + 24
    middle = (start + end) / 2
    return [
        line(start, low, end, low, "axis"),
        label(middle, low + 14, own[0].curves.model, "tick", "middle"),
    ]


def _band(band: Band, metric: str, y: Scale, model: int) -> list[Markup]:
    curves, middle = band.curves, (band.start + band.end) / 2
    parts = [
        label(middle, TOP - 7, curves.phase, f"phase-name m{model}", "middle"),
        label(middle, y.start + 15, count(curves.epochs, "epoch"), "tick", "middle"),
    ]
    points = [(band.at(epoch), y(value)) for epoch, value in values(curves, metric)]
    if not points:
        names = ", ".join(series.name for series in curves.validation) or "nothing"
        height = (TOP + y.start) / 2
        parts.append(label(middle, height - 7, "validated by", "tick", "middle"))
        return [*parts, label(middle, height + 8, names, "tick", "middle")]
    parts.append(polyline(points, f"line m{model}"))
    parts += [element("circle", cx=a, cy=b, r=2.5, class_=f"dot m{model}") for a, b in points[:80]]
    if curves.best and curves.best[0] == metric:
        _, epoch, value = curves.best
        x, top = band.at(epoch), y(value)
        parts.append(line(x, y.start, x, top + 6, "kept-line"))
        parts.append(element("circle", cx=x, cy=top, r=6.0, class_="kept"))
        anchor = "end" if x > band.end - 30 else "middle"
        parts.append(label(min(x + 4, band.end - 3), top - 11, fixed(value), "value", anchor))
    return parts


def _told(phases: Sequence[PhaseCurves], metric: str) -> str:
    told = []
    for curves in phases:
        text = f"{curves.model} {curves.phase}, {count(curves.epochs, 'epoch')}"
        if curves.best:
            name, epoch, value = curves.best
            text += f", kept epoch {epoch:.0f} with {name} {fixed(value, 4)}"
        told.append(text)
    return f"Training by validation {metric}: {'; '.join(told)}"
