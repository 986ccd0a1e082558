"""The little SVG that charts need: scales, ticks, escaped elements. Colours come from the page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from pipeline.report.numbers import fixed


@dataclass(frozen=True)
class Scale:
    """A linear map from values `low..high` to pixels `start..end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Pixels of `value`."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int) -> list[float]:
        """Round values inside the range: the finest steps of 1, 2 or 5 that give at most `most`."""
        return ticks(self.low, self.high, most)


@dataclass(frozen=True)
class LogScale:
    """A logarithmic map from positive values `low..high` to pixels `start..end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Pixels of `value`."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int) -> list[float]:
        """Round values inside the range, at most `most`: 1, 2 and 5 times powers of ten.

        Evenly spaced ones where the range is too narrow for three of those.
        """
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for steps in ((1, 2, 5), (1, 3), (1,)):
            found = [round(step * 10.0**power, 12) for power in powers for step in steps]
            inside = [value for value in found if self.low <= value <= self.high]
            if len(inside) < 3:
                return ticks(self.low, self.high, most)
            if len(inside) <= most:
                return inside
        return inside


def padded(values: Iterable[float], share: float = 0.08) -> tuple[float, float]:
    """Range of `values`, wider by `share` on both sides; never empty."""
    known = list(values)
    low, high = min(known), max(known)
    span = high - low or abs(high) * 0.1 or 1.0
    return low - share * span, high + share * span


def ticks(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten in `low..high`, at most `most` of them."""
    exponent = math.floor(math.log10((high - low) / most))
    for power in range(exponent, exponent + 3):
        for step in (1, 2, 5):
            size = step * 10.0**power
            first, last = math.ceil(low / size - 1e-9), math.floor(high / size + 1e-9)
            if last - first < most:
                return [round(i * size, 12) for i in range(first, last + 1)]
    return [low, high]


def tick_labels(values: Sequence[float]) -> list[str]:
    """Labels of ticks with as many decimals as tell them apart."""
    step = min((b - a for a, b in pairwise(values)), default=1.0)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [fixed(value, digits) for value in values]


def plain_labels(values: Sequence[float]) -> list[str]:
    """Labels of ticks that are not evenly spaced, each with no more decimals than it needs."""
    return [f"{value:g}" for value in values]


def element(name: str, *content: str, **attributes: object) -> Markup:
    """`<name …>content</name>`; `class_` gives `class`, `_` in a name stands for `-`.

    Content and attributes are escaped unless they are `Markup`. Coordinates keep two decimals.
    """
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value))}"'
        for key, value in attributes.items()
    )
    inner = "".join(str(escape(part)) for part in content)
    return Markup(f"<{name}{shown}>{inner}</{name}>")  # noqa: S704 - every part is escaped above


def label(x: float, y: float, content: str, class_: str = "", anchor: str = "start") -> Markup:
    """Text whose baseline starts, ends or is centred at a point."""
    return element("text", content, x=x, y=y, class_=class_, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def polyline(points: Iterable[tuple[float, float]], class_: str) -> Markup:
    """A line through `points`."""
    path = " ".join(f"{_plain(x)},{_plain(y)}" for x, y in points)
    return element("polyline", points=path, class_=class_)


def drawing(
    width: float,
    height: float,
    title: str,
    class_: str,
    parts: Iterable[Markup],
    role: str = "img",
) -> Markup:
    """A whole picture with a text for those who cannot see it.

    It is not stretched much beyond `width`. `role` is `group` where parts of the picture can be
    focused and speak for themselves.
    """
    box = f"0 0 {_plain(width)} {_plain(height)}"
    # A title of the whole would pop up over every part that has one of its own.
    inner = [element("title", title), *parts] if role == "img" else parts
    style = f"max-width: {_plain(1.15 * width)}px"
    named = {"role": role, "aria_label": title, "class_": class_, "style": style}
    return element("svg", *inner, viewBox=box, **named)


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{round(value, 2) + 0.0:g}" if abs(value) < 1e5 else f"{value:.0f}"
    return str(value)
