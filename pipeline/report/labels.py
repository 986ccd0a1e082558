"""Where names go beside discs so that none covers another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CHARACTER = 7.2
"""Mean width of a character, pixels; generous, as fonts differ."""
LINE = 17.0
"""Height of a line, pixels."""
GAP = 7.0
"""Between a disc and its name, pixels."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two share any area."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def inside(self, other: Box) -> bool:
        """Whether this lies wholly within `other`."""
        across = other.left <= self.left and self.right <= other.right
        return across and other.top <= self.top and self.bottom <= other.bottom


@dataclass(frozen=True)
class Disc:
    """A disc and its name."""

    x: float
    y: float
    radius: float
    text: str

    @property
    def box(self) -> Box:
        """The square around the disc."""
        r = self.radius
        return Box(self.x - r, self.y - r, self.x + r, self.y + r)


def place(discs: Sequence[Disc], frame: Box, obstacles: Sequence[Box] = ()) -> list[Box]:
    """A box for every disc's name, in order.

    Each name takes the first free place of: right, left, below, above, then ever further away. A
    place is free when it lies in the frame and meets no other name, no other disc, no obstacle;
    without any, the name takes the first place in the frame.
    """
    placed: list[Box] = []
    for disc in discs:
        taken = [*obstacles, *placed, *(other.box for other in discs if other is not disc)]
        choices = list(_choices(disc))
        free = (b for b in choices if b.inside(frame) and not any(map(b.meets, taken)))
        inside = (box for box in choices if box.inside(frame))
        placed.append(next(free, next(inside, choices[0])))
    return placed


def _choices(disc: Disc) -> Iterator[Box]:
    width = CHARACTER * len(disc.text)
    right, left = disc.x + disc.radius + GAP, disc.x - disc.radius - GAP - width
    middle = disc.x - width / 2
    below, above = disc.y + disc.radius + GAP, disc.y - disc.radius - GAP - LINE
    yield _box(right, disc.y - LINE / 2, width)
    yield _box(left, disc.y - LINE / 2, width)
    for step in range(8):
        for start in (middle, right, left):
            yield _box(start, below + step * LINE, width)
            yield _box(start, above - step * LINE, width)


def _box(left: float, top: float, width: float) -> Box:
    return Box(left, top, left + width, top + LINE)
