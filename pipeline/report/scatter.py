"""Accuracy, time and size of comparable files in one picture, with the front no file beats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from pipeline.report.artefacts import Artefact
from pipeline.report.labels import Box, Disc, place
from pipeline.report.numbers import count, fixed, mib, ms
from pipeline.report.pareto import front, unbeaten
from pipeline.report.svg import (
    LogScale,
    Scale,
    drawing,
    element,
    label,
    line,
    padded,
    plain_labels,
    polyline,
    tick_labels,
)

LEFT, RIGHT, TOP, BOTTOM = 60, 16, 46, 54


@dataclass(frozen=True)
class Size:
    """Of a picture, pixels."""

    width: int
    height: int
    radius: float
    """Of the largest file's disc."""
    up: int = 6
    across: int = 8
    """Most ticks."""


WIDE = Size(900, 440, 22.0)
NARROW = Size(380, 400, 15.0, 5, 5)


@dataclass(frozen=True)
class _Plot:
    """Values to pixels."""

    x: LogScale
    y: Scale
    metric: str
    size: Size
    largest: int
    students: bool
    """Whether there are several, so that names must tell them apart."""

    def value(self, artefact: Artefact) -> float:
        assert artefact.metrics is not None
        return artefact.metrics[self.metric].file

    def interval(self, artefact: Artefact) -> tuple[float, float]:
        """Of accuracy: torch's own, and the interval of the difference from it."""
        assert artefact.metrics is not None
        loss = artefact.metrics[self.metric]
        return loss.torch + loss.low, loss.torch + loss.high

    def disc(self, artefact: Artefact) -> Disc:
        assert artefact.ms is not None
        name = artefact.name if self.students and artefact.origin else artefact.title
        radius = max(4.0, self.size.radius * math.sqrt(artefact.bytes / self.largest))
        at = (self.x(artefact.ms[0]), self.y(self.value(artefact)))
        return Disc(*at, radius, name)


def scatter(
    artefacts: Sequence[Artefact], metric: str, size: Size, budget: float | None = None
) -> Markup:
    """Median time (logarithmic) against `metric`; area for size, whiskers for 95 % intervals.

    `artefacts` share one ground. `budget` is the lowest accuracy a file of this run may have.
    """
    plot = _plot(artefacts, metric, size, budget)
    best = front(artefacts, metric)
    drawn = sorted(artefacts, key=lambda a: (-a.bytes, a.name))
    named = [a for a in drawn if not a.origin or a in best]
    parts = _frame(plot)
    if budget is not None:
        parts += _budget(plot, budget)
    steps = _steps(plot, best)
    parts.append(polyline(steps, "front"))
    rings = unbeaten(artefacts, metric)
    parts += [_mark(plot, artefact, artefact in rings) for artefact in drawn]
    taken = [plot.disc(artefact).box for artefact in drawn if artefact not in named]
    taken += [_around(a, b) for a, b in pairwise(steps)]
    parts += _names(plot, named, taken, budget)
    title = f"{metric} against time of {count(len(artefacts), 'file')}"
    return drawing(size.width, size.height, title, "chart scatter", parts, role="group")


def _plot(artefacts: Sequence[Artefact], metric: str, size: Size, budget: float | None) -> _Plot:
    times = [t for a in artefacts if a.ms for t in a.ms]
    y_values = [m[metric].file for a in artefacts if (m := a.metrics)]
    y_values += [m[metric].torch + m[metric].low for a in artefacts if (m := a.metrics)]
    y_values += [m[metric].torch + m[metric].high for a in artefacts if (m := a.metrics)]
    if budget is not None:
        y_values.append(budget)
    low, high = min(times), max(times)
    margin = max((high / low) ** 0.12, 1.06)
    return _Plot(
        LogScale(low / margin, high * margin, LEFT, size.width - RIGHT),
        Scale(*padded(y_values, 0.14), size.height - BOTTOM, TOP),
        metric,
        size,
        max(a.bytes for a in artefacts),
        len({a.student for a in artefacts}) > 1,
    )


def described(artefact: Artefact, metric: str) -> list[str]:
    """What a reader wants to know of one disc, a line each."""
    assert artefact.ms is not None
    assert artefact.metrics is not None
    loss = artefact.metrics[metric]
    median, low, high = artefact.ms
    lines = [
        f"{metric} {fixed(loss.file, 4)}",
        f"{ms(median)} ms, 95 % between {ms(low)} and {ms(high)}",
        f"{mib(artefact.bytes)} MiB, {artefact.sha256[:8]}",
        f"on the shelf as {artefact.origin}" if artefact.origin else "of this run",
    ]
    return lines + ([f"{count(len(artefact.problems), 'budget')} broken"] * bool(artefact.problems))


def _mark(plot: _Plot, artefact: Artefact, ring: bool) -> Markup:
    disc = plot.disc(artefact)
    x, y = disc.x, disc.y
    assert artefact.ms is not None
    _, fast, slow = artefact.ms
    parts = [line(plot.x(fast), y, plot.x(slow), y, "whisker")]
    if artefact.kind != "torch":
        low, high = plot.interval(artefact)
        parts.append(line(x, plot.y(low), x, plot.y(high), "whisker"))
    if ring:
        parts.append(element("circle", cx=x, cy=y, r=disc.radius + 3.5, class_="ring"))
    parts.append(element("circle", cx=x, cy=y, r=disc.radius, class_="disc"))
    if artefact.problems:
        reach = 4.0
        parts.append(line(x - reach, y - reach, x + reach, y + reach, "cross"))
        parts.append(line(x - reach, y + reach, x + reach, y - reach, "cross"))
    told = described(artefact, plot.metric)
    kinds = f"mark {artefact.kind}{' shelved' if artefact.origin else ''}"
    return element(
        "g",
        element("title", f"{artefact.name}: {'; '.join(told)}"),
        *parts,
        class_=kinds,
        tabindex=0,
        role="img",
        aria_label=f"{artefact.name}: {'; '.join(told)}",
        data_name=artefact.name,
        data_told="\n".join(told),
    )


def _frame(plot: _Plot) -> list[Markup]:
    x, y = plot.x, plot.y
    across, up = x.ticks(plot.size.across), y.ticks(plot.size.up)
    parts = []
    for value, text in zip(up, tick_labels(up), strict=True):
        parts.append(line(x.start, y(value), x.end, y(value), "grid"))
        parts.append(label(x.start - 8, y(value) + 4, text, "tick", "end"))
    for value, text in zip(across, plain_labels(across), strict=True):
        parts.append(line(x(value), y.start, x(value), y.start + 4, "axis"))
        parts.append(label(x(value), y.start + 18, text, "tick", "middle"))
    parts.append(line(x.start, y.start, x.end, y.start, "axis"))
    parts.append(label(x.start, 18, f"{plot.metric} ↑ better", "axis-title"))
    middle = (x.start + x.end) / 2
    text = "← faster · median ms, logarithmic"
    parts.append(label(middle, plot.size.height - 10, text, "axis-title", "middle"))
    return parts


def _budget(plot: _Plot, budget: float) -> list[Markup]:
    height = plot.y(budget)
    return [
        line(plot.x.start, height, plot.x.end, height, "budget"),
        label(plot.x.end - 4, height + 15, "budget of this run", "budget-text", "end"),
    ]


def _steps(plot: _Plot, best: Sequence[Artefact]) -> list[tuple[float, float]]:
    """From the fastest file up to the most accurate, and on to both edges of the picture."""
    if not best:
        return []
    discs = [plot.disc(artefact) for artefact in best]
    points = [(discs[0].x, plot.y.start), (discs[0].x, discs[0].y)]
    for before, after in pairwise(discs):
        points += [(after.x, before.y), (after.x, after.y)]
    return [*points, (plot.x.end, discs[-1].y)]


def _around(start: tuple[float, float], end: tuple[float, float]) -> Box:
    """A box around an upright or level line."""
    (left, right), (top, bottom) = sorted((start[0], end[0])), sorted((start[1], end[1]))
    return Box(left - 2, top - 2, right + 2, bottom + 2)


def _names(
    plot: _Plot, named: Sequence[Artefact], taken: Sequence[Box], budget: float | None
) -> list[Markup]:
    """A name beside each disc, with a leader where it stands apart."""
    discs = [plot.disc(artefact) for artefact in named]
    obstacles = list(taken)
    for artefact, disc in zip(named, discs, strict=True):
        low, high = plot.interval(artefact)
        obstacles.append(Box(disc.x - 3, plot.y(high), disc.x + 3, plot.y(low)))
        if artefact.ms:
            fast, slow = (plot.x(time) for time in artefact.ms[1:])
            obstacles.append(Box(fast, disc.y - 3, slow, disc.y + 3))
    x, y = plot.x, plot.y
    if budget is not None:
        obstacles.append(Box(x.start, y(budget) - 3, x.end, y(budget) + 3))
        obstacles.append(Box(x.end - 125, y(budget), x.end, y(budget) + 20))
    frame = Box(x.start, TOP - 20, x.end, y.start)
    parts = []
    for disc, box in zip(discs, place(discs, frame, obstacles), strict=True):
        centre = (box.left + box.right) / 2
        anchor, at = "middle", centre
        if box.top < disc.y < box.bottom:
            after = box.left > disc.x
            anchor, at = ("start", box.left) if after else ("end", box.right)
        else:
            below = box.top > disc.y
            start = disc.y + disc.radius * (1 if below else -1)
            parts.append(line(disc.x, start, centre, box.top if below else box.bottom, "leader"))
        parts.append(label(at, box.bottom - 4.5, disc.text, "name", anchor))
    return parts
