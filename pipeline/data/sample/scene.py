"""What a generated scene consists of, as plain values.

Images, masks, boxes, semantic labels and viewers' attention are all derived from one `Scene`, so
every task's annotations agree.
"""

from __future__ import annotations

from dataclasses import dataclass

HEIGHT = 480
WIDTH = 640

Colour = tuple[float, float, float]
"""Red, green, blue, 0-1."""


@dataclass(frozen=True)
class Surface:
    """How an area is painted."""

    colour: Colour
    second: Colour
    pattern: str = "plain"
    """`plain`, `stripes`, `checks`, `dots` or `grain`."""
    period: float = 16.0
    """Pixels per repeat of the pattern."""
    turn: float = 0.0
    """Direction of the pattern, radians."""


@dataclass(frozen=True)
class Background:
    """What lies behind everything."""

    kind: str
    """A name from `backgrounds.KINDS`."""
    near: Surface
    far: Surface
    seed: int
    horizon: float = 0.5
    """Height of the horizon where there is one, as a share of the image."""


@dataclass(frozen=True)
class Thing:
    """One object."""

    category: str
    """A name from `things.CATEGORIES`."""
    x: float
    """Centre, pixels from the left edge."""
    y: float
    """Centre, pixels from the top edge."""
    size: float
    """Radius of the circle the object fills, pixels."""
    turn: float
    """Rotation, radians, clockwise."""
    surface: Surface
    stretch: float = 1.0
    """Width over height."""
    shadow: float = 0.0
    """Darkness of its shadow, 0-1."""


@dataclass(frozen=True)
class Scene:
    """A picture before it is painted; later things cover earlier ones."""

    kind: str
    background: Background
    things: tuple[Thing, ...]
    light: float
    """Direction that light comes from, radians."""
    seed: int
    """Of the grain that is laid over the picture."""
    height: int = HEIGHT
    width: int = WIDTH
