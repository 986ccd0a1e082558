"""Training curves: one small chart for the loss and one for each validation metric of a phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.report.course import course
from pipeline.report.curves import PhaseCurves, Point, Series, smooth, thin
from pipeline.report.numbers import count, fixed
from pipeline.report.svg import Scale, drawing, element, label, line, padded, polyline, tick_labels

WIDTH, HEIGHT = 360, 204
LEFT, RIGHT, TOP, BOTTOM = 50, 14, 30, 42
SMOOTHING = 30
"""A line is averaged over one part in so many, each side."""
SHARED = ("CC", "NSS", "F", "S", "mIoU", "IoU", "accuracy")
"""Metrics whose axis is the same in every phase: all are of the same validation images.

The first that was measured is what the whole training is drawn by.
"""

Ranges = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class PhaseCharts:
    """What the page shows of one phase."""

    title: str
    detail: str
    charts: Sequence[Markup]
    command: str
    """What runs it."""


def phase_charts(phases: Sequence[PhaseCurves]) -> list[PhaseCharts]:
    """Charts of all phases in order, numbered."""
    ranges = shared_ranges(phases)
    return [
        PhaseCharts(
            f"{number}. {curves.model}, {curves.phase}",
            _detail(curves),
            [loss_chart(curves), *(_metric_chart(curves, s, ranges) for s in curves.validation)],
            f"dvc repro {curves.stage} report",
        )
        for number, curves in enumerate(phases, 1)
    ]


def overview(phases: Sequence[PhaseCurves]) -> tuple[Markup, Markup] | None:
    """The whole training, for wide and for narrow screens; None for a single phase."""
    if len(phases) < 2:
        return None
    names = {series.name for curves in phases for series in curves.validation}
    metric = next((name for name in SHARED if name in names), SHARED[0])
    wide, narrow = course(phases, metric, 900, 260), course(phases, metric, 372, 230)
    return (wide, narrow) if wide and narrow else None


def shared_ranges(phases: Sequence[PhaseCurves]) -> dict[str, tuple[float, float]]:
    """Range of each shared metric over every phase that has it."""
    values: dict[str, list[float]] = {}
    for curves in phases:
        for series in curves.validation:
            if series.name in SHARED:
                values.setdefault(series.name, []).extend(y for _, y in series.points)
    return {name: padded(found) for name, found in values.items()}


def loss_chart(curves: PhaseCurves) -> Markup:
    """Loss of every step, faint, and its moving average."""
    lines = [Series(s.name, thin(s.points)) for s in curves.losses if s.points]
    parts: list[Markup] = []
    names = [series.name for series in lines] if len(lines) > 1 else []
    title = "training loss per step"
    if lines:
        x, y = _scales(curves.epochs, [v for s in lines for _, v in s.points], None)
        parts = [*_frame(x, y), *_kept(curves, x, y)]
        for index, series in enumerate(lines):
            averaged = smooth(series.points, max(1, len(series.points) // SMOOTHING))
            parts.append(polyline(_pixels(series.points, x, y), f"raw s{index}"))
            parts.append(polyline(_pixels(averaged, x, y), f"line s{index}"))
        ends = [f"{fixed(s.points[0][1], 4)} to {fixed(s.points[-1][1], 4)}" for s in lines]
        title += ": " + ", ".join(ends)
    parts += _heading("loss per step", names)
    return drawing(WIDTH, HEIGHT, f"{curves.model} {curves.phase}, {title}", "chart small", parts)


def _metric_chart(curves: PhaseCurves, series: Series, ranges: Ranges) -> Markup:
    x, y = _scales(curves.epochs, [v for _, v in series.points], ranges.get(series.name))
    pixels = _pixels(series.points, x, y)
    parts = [*_frame(x, y), *_kept(curves, x, y), polyline(pixels, "line s0")]
    parts += [element("circle", cx=a, cy=b, r=2.5, class_="dot s0") for a, b in pixels[:60]]
    kept = ""
    if curves.best and curves.best[0] == series.name:
        _, epoch, value = curves.best
        parts.append(element("circle", cx=x(epoch), cy=y(value), r=6.0, class_="kept"))
        kept = f", kept: epoch {epoch:.0f} with {fixed(value, 4)}"
    parts += _heading(f"validation {series.name}", [])
    first, last = series.points[0][1], series.points[-1][1]
    title = f"validation {series.name}: {fixed(first, 4)} to {fixed(last, 4)}{kept}"
    return drawing(WIDTH, HEIGHT, f"{curves.model} {curves.phase}, {title}", "chart small", parts)


def _kept(curves: PhaseCurves, x: Scale, y: Scale) -> list[Markup]:
    """A line at the end of the epoch whose weights were kept."""
    if curves.best is None:
        return []
    return [line(x(curves.best[1]), y.start, x(curves.best[1]), y.end, "kept-line")]


def _detail(curves: PhaseCurves) -> str:
    text = count(curves.epochs, "epoch")
    if curves.best:
        name, epoch, value = curves.best
        text += f"; kept epoch {epoch:.0f} with validation {name} {fixed(value, 4)}"
    return text


def _scales(
    epochs: int, values: Sequence[float], fixed_range: tuple[float, float] | None
) -> tuple[Scale, Scale]:
    low, high = fixed_range or padded(values)
    return (
        Scale(0.0, float(epochs), LEFT, WIDTH - RIGHT),
        Scale(low, high, HEIGHT - BOTTOM, TOP),
    )


def _frame(x: Scale, y: Scale) -> list[Markup]:
    parts = []
    up = y.ticks(5)
    for value, text in zip(up, tick_labels(up), strict=True):
        parts.append(line(x.start, y(value), x.end, y(value), "grid"))
        parts.append(label(x.start - 6, y(value) + 3.5, text, "tick", "end"))
    whole = [value for value in x.ticks(7) if value == int(value)]
    parts += [label(x(v), y.start + 16, f"{v:.0f}", "tick", "middle") for v in whole]
    parts.append(label(x.end, y.start + 32, "epoch", "tick", "end"))
    parts.append(line(x.start, y.start, x.end, y.start, "axis"))
    return parts


def _heading(text: str, names: Sequence[str]) -> list[Markup]:
    parts = [label(LEFT, 16, text, "axis-title")]
    at = WIDTH - RIGHT
    for index, name in enumerate(names):
        parts.append(label(at, 16 + 12 * index, name, f"series s{index}", "end"))
    return parts


def _pixels(points: Sequence[Point], x: Scale, y: Scale) -> list[Point]:
    return [(x(a), y(b)) for a, b in points]
