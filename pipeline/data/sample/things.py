"""What each category of object looks like: shapes put together, in the object's own frame."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One shape of an object, in units of the object's size."""

    shape: str
    tone: str
    """`main` (patterned), `second`, `dark` or `light`."""
    x: float = 0.0
    y: float = 0.0
    w: float = 1.0
    h: float = 1.0
    turn: float = 0.0


@dataclass(frozen=True)
class Category:
    """A kind of object."""

    parts: tuple[Part, ...]
    """Painted in this order."""
    interest: float = 1.0
    """How much people look at such things whatever their contrast; faces lead by far."""
    long: bool = False
    """Has a direction of its own that can stand out among others."""
    grown: bool = False
    """Stands upright in landscapes."""
    focus: tuple[float, float] = (0.0, 0.0)
    """Where in the object people look first, in units of its size."""


def _one(shape: str, w: float = 1.0, h: float = 1.0) -> tuple[Part, ...]:
    return (Part(shape, "main", w=w, h=h),)


_EYES = tuple(
    part
    for side in (-1, 1)
    for part in (
        Part("disc", "light", x=0.3 * side, y=-0.12, w=0.17, h=0.12),
        Part("disc", "dark", x=0.3 * side, y=-0.12, w=0.08, h=0.1),
    )
)

CATEGORIES: dict[str, Category] = {
    "ball": Category(_one("disc")),
    "ring": Category(_one("ring")),
    "star": Category(_one("star")),
    "crystal": Category(_one("hexagon")),
    "kite": Category(_one("diamond", 0.75)),
    "moon": Category(_one("crescent")),
    "plus": Category(_one("cross")),
    "bar": Category(_one("box", 0.24), long=True),
    "arrow": Category(
        (
            Part("box", "main", y=0.35, w=0.2, h=0.6),
            Part("triangle", "main", y=-0.5, w=0.6, h=0.5),
        ),
        interest=1.1,
        long=True,
    ),
    "face": Category(
        (
            Part("disc", "second", y=-0.15, w=0.84, h=0.88),
            Part("disc", "main", y=0.08, w=0.72, h=0.9),
            *_EYES,
            Part("triangle", "second", y=0.16, w=0.09, h=0.15),
            Part("disc", "dark", y=0.52, w=0.27, h=0.07),
        ),
        interest=3.0,
        grown=True,
        focus=(0.0, -0.05),
    ),
    "person": Category(
        (
            Part("box", "dark", x=-0.16, y=0.68, w=0.1, h=0.32),
            Part("box", "dark", x=0.16, y=0.68, w=0.1, h=0.32),
            Part("pill", "main", y=0.1, w=0.62, h=0.52),
            Part("disc", "second", y=-0.66, w=0.24, h=0.28),
            Part("dome", "dark", y=-0.72, w=0.26, h=0.28),
        ),
        interest=2.2,
        grown=True,
        focus=(0.0, -0.6),
    ),
    "house": Category(
        (
            Part("box", "main", y=0.38, w=0.72, h=0.6),
            Part("triangle", "second", y=-0.55, w=0.95, h=0.42),
            Part("box", "dark", y=0.66, w=0.15, h=0.32),
            Part("box", "light", x=-0.42, y=0.25, w=0.15, h=0.15),
            Part("box", "light", x=0.42, y=0.25, w=0.15, h=0.15),
        ),
        grown=True,
        focus=(0.0, 0.2),
    ),
    "tree": Category(
        (
            Part("box", "dark", y=0.65, w=0.1, h=0.35),
            Part("disc", "main", x=-0.35, y=-0.02, w=0.45, h=0.42),
            Part("disc", "main", x=0.35, y=0.0, w=0.45, h=0.42),
            Part("disc", "main", y=-0.42, w=0.52, h=0.55),
        ),
        interest=0.7,
        grown=True,
        focus=(0.0, -0.2),
    ),
    "fish": Category(
        (
            Part("triangle", "second", y=0.7, w=0.42, h=0.3),
            Part("disc", "main", y=-0.15, w=0.42, h=0.85),
            Part("disc", "light", x=0.1, y=-0.6, w=0.1, h=0.1),
            Part("disc", "dark", x=0.1, y=-0.62, w=0.05, h=0.05),
        ),
        interest=1.4,
        long=True,
        focus=(0.0, -0.4),
    ),
    "flower": Category(
        (
            Part("box", "dark", y=0.6, w=0.05, h=0.4),
            Part("petals", "main", y=-0.3, w=0.66, h=0.66),
            Part("disc", "second", y=-0.3, w=0.24, h=0.24),
        ),
        interest=1.2,
        grown=True,
        focus=(0.0, -0.3),
    ),
    "mushroom": Category(
        (
            Part("pill", "light", y=0.45, w=0.5, h=0.55),
            Part("dome", "main", y=0.15, w=0.95, h=0.95),
            Part("disc", "light", x=-0.4, y=-0.2, w=0.14, h=0.13),
            Part("disc", "light", x=0.1, y=-0.5, w=0.15, h=0.13),
            Part("disc", "light", x=0.48, y=-0.14, w=0.11, h=0.1),
        ),
        interest=1.2,
        grown=True,
        focus=(0.0, -0.2),
    ),
    "cup": Category(
        (
            Part("ring", "second", x=0.62, y=0.1, w=0.36, h=0.42),
            Part("box", "main", x=-0.1, y=0.15, w=0.6, h=0.72),
            Part("disc", "dark", x=-0.1, y=-0.57, w=0.6, h=0.16),
        ),
        interest=1.1,
        grown=True,
    ),
    "car": Category(
        (
            Part("dome", "second", y=0.12, w=0.58, h=0.55),
            Part("dome", "light", y=0.08, w=0.45, h=0.4),
            Part("box", "main", y=0.28, w=1.0, h=0.24),
            Part("disc", "dark", x=-0.55, y=0.52, w=0.22, h=0.22),
            Part("disc", "dark", x=0.55, y=0.52, w=0.22, h=0.22),
            Part("disc", "light", x=-0.55, y=0.52, w=0.09, h=0.09),
            Part("disc", "light", x=0.55, y=0.52, w=0.09, h=0.09),
        ),
        interest=1.4,
        grown=True,
        focus=(0.0, 0.15),
    ),
}
"""All categories; their order gives the COCO category ids, from 1."""

NAMES = tuple(CATEGORIES)
PLAIN = ("ball", "ring", "star", "crystal", "kite", "moon", "plus", "bar", "arrow", "fish", "cup")
"""Categories that look right at any angle, for arrays and scatters."""
GROWN = tuple(name for name, category in CATEGORIES.items() if category.grown)
