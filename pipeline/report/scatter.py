"""Accuracy, time and size of every file in one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.report.facts import Facts, File
from pipeline.report.labels import Box, Disc, place
from pipeline.report.numbers import fixed, mib, ratio
from pipeline.report.svg import Scale, drawing, element, label, line, padded, tick_labels

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 48, 52
RADIUS = 24.0
"""Of the largest file, pixels."""


@dataclass(frozen=True)
class Bubble:
    """One file: where it stands, how large it is, and how sure that is."""

    name: str
    kind: str
    """`torch`, `float` or `quantised`: its colour."""
    time: float
    """Relative to torch."""
    value: float
    bytes: int
    time_interval: tuple[float, float] | None = None
    value_interval: tuple[float, float] | None = None


def bubbles(facts: Facts, metric: str = "CC") -> list[Bubble]:
    """Torch and every file whose time may be compared with torch's."""
    found = [_bubble(file, metric) for file in facts.files]
    known = [bubble for bubble in found if bubble is not None]
    if not known:
        return []
    value = next(f.metrics[metric].torch for f in facts.files)
    return [Bubble("torch", "torch", 1.0, value, facts.checkpoint_bytes), *known]


def _bubble(file: File, metric: str) -> Bubble | None:
    timing = file.timing
    if timing is None or timing.ratio is None or timing.low is None or timing.high is None:
        return None
    loss = file.metrics[metric]
    return Bubble(
        file.title,
        "quantised" if file.quantised else "float",
        timing.ratio,
        loss.file,
        file.bytes,
        (timing.low, timing.high),
        (loss.torch + loss.low, loss.torch + loss.high),
    )


def scatter(points: Sequence[Bubble], metric: str, metric_loss: float) -> Markup:
    """Time against accuracy, area for size, whiskers for 95 % intervals, the budget as a line."""
    torch = next(point for point in points if point.kind == "torch")
    budget = torch.value - metric_loss * abs(torch.value)
    values = [v for p in points for v in (p.value, *(p.value_interval or ()))]
    times = [t for p in points for t in (p.time, *(p.time_interval or ()))]
    x = Scale(0.0, max(1.0, *times) * 1.12, LEFT, WIDTH - RIGHT)
    y = Scale(*padded([*values, budget], 0.14), HEIGHT - BOTTOM, TOP)
    largest = max(point.bytes for point in points)
    drawn = sorted(points, key=lambda p: (-p.bytes, p.name))
    discs = [_disc(point, x, y, largest) for point in drawn]
    parts = [*_frame(x, y, metric), *_budget(x, y, budget, metric_loss)]
    parts += [mark for point in drawn for mark in _whiskers(point, x, y)]
    parts += [
        element("circle", cx=disc.x, cy=disc.y, r=disc.radius, class_=f"disc {point.kind}")
        for disc, point in zip(discs, drawn, strict=True)
    ]
    parts += _names(discs, Box(x.start, TOP - 22, x.end, y.start), _obstacles(points, x, y, budget))
    told = "; ".join(_told(point, metric) for point in points)
    return drawing(WIDTH, HEIGHT, f"{metric} against time: {told}", "chart scatter", parts)


def _told(point: Bubble, metric: str) -> str:
    size = f"{mib(point.bytes)} MiB"
    return (
        f"{point.name} {metric} {fixed(point.value, 4)}, {ratio(point.time)} torch's time, {size}"
    )


def _frame(x: Scale, y: Scale, metric: str) -> list[Markup]:
    across, up = x.ticks(8), y.ticks(6)
    floor = y.start
    parts = []
    for value, text in zip(up, tick_labels(up), strict=True):
        parts.append(line(x.start, y(value), x.end, y(value), "grid"))
        parts.append(label(x.start - 8, y(value) + 4, text, "tick", "end"))
    for value, text in zip(across, tick_labels(across), strict=True):
        parts.append(line(x(value), floor, x(value), floor + 4, "axis"))
        parts.append(label(x(value), floor + 18, text + "×", "tick", "middle"))
    parts.append(line(x.start, floor, x.end, floor, "axis"))
    parts.append(label(x.start, 18, f"{metric} ↑ better", "axis-title"))
    middle = (x.start + x.end) / 2
    parts.append(
        label(middle, HEIGHT - 10, "← faster · time relative to torch", "axis-title", "middle")
    )
    return parts


def _budget(x: Scale, y: Scale, budget: float, metric_loss: float) -> list[Markup]:
    height = y(budget)
    text = f"budget: at most {metric_loss:.3g} of torch's value lost"
    if metric_loss:
        text = f"budget: {100 * metric_loss:.3g} % below torch"
    return [
        line(x.start, height, x.end, height, "budget"),
        label(x.end - 4, height - 6, text, "budget-text", "end"),
    ]


def _whiskers(point: Bubble, x: Scale, y: Scale) -> list[Markup]:
    parts = []
    if point.value_interval:
        low, high = point.value_interval
        parts.append(line(x(point.time), y(low), x(point.time), y(high), f"whisker {point.kind}"))
    if point.time_interval:
        low, high = point.time_interval
        parts.append(line(x(low), y(point.value), x(high), y(point.value), f"whisker {point.kind}"))
    return parts


def _disc(point: Bubble, x: Scale, y: Scale, largest: int) -> Disc:
    radius = max(4.0, RADIUS * math.sqrt(point.bytes / largest))
    return Disc(x(point.time), y(point.value), radius, f"{point.name} · {mib(point.bytes)} MiB")


def _obstacles(points: Sequence[Bubble], x: Scale, y: Scale, budget: float) -> list[Box]:
    """What names must not cover: whiskers of accuracy, and the budget's line with its text."""
    boxes = [Box(x.start, y(budget) - 3, x.end, y(budget) + 3)]
    boxes.append(Box(x.end - 160, y(budget) - 18, x.end, y(budget)))
    for point in points:
        if point.value_interval:
            low, high = point.value_interval
            boxes.append(Box(x(point.time) - 3, y(high), x(point.time) + 3, y(low)))
    return boxes


def _names(discs: Sequence[Disc], frame: Box, obstacles: Sequence[Box]) -> list[Markup]:
    """A name beside each disc, with a leader where it stands apart."""
    parts = []
    for disc, box in zip(discs, place(discs, frame, obstacles), strict=True):
        centre = (box.left + box.right) / 2
        beside = box.top < disc.y < box.bottom
        if not beside:
            below = box.top > disc.y
            start = disc.y + disc.radius if below else disc.y - disc.radius
            end = box.top if below else box.bottom
            parts.append(line(disc.x, start, centre, end, "leader"))
        anchor, at = "middle", centre
        if beside:
            after = box.left > disc.x
            anchor, at = ("start", box.left) if after else ("end", box.right)
        parts.append(label(at, box.bottom - 4.5, disc.text, "name", anchor))
    return parts
