"""Signed distances to simple shapes that fill the circle of radius 1; negative inside.

Coordinates are (n, m) float32 arrays, x to the right and y down. Distances are exact or close to
it near the outline, where they decide how much of a pixel is covered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Shape = Callable[[Array, Array], Array]


def disc(x: Array, y: Array) -> Array:
    """The unit circle."""
    return _array(np.hypot(x, y) - np.float32(1))


def box(x: Array, y: Array) -> Array:
    """The square of half-width 1."""
    return _array(np.maximum(np.abs(x), np.abs(y)) - np.float32(1))


def pill(x: Array, y: Array) -> Array:
    """An upright capsule, half as wide as tall."""
    return _array(np.hypot(x, np.maximum(np.abs(y) - np.float32(0.5), 0)) - np.float32(0.5))


def ring(x: Array, y: Array) -> Array:
    """A circle with a hole of half its radius."""
    return _array(np.abs(np.hypot(x, y) - np.float32(0.75)) - np.float32(0.25))


def dome(x: Array, y: Array) -> Array:
    """The upper half of the circle."""
    return _array(np.maximum(disc(x, y), y))


def crescent(x: Array, y: Array) -> Array:
    """A moon, open to the right."""
    return _array(np.maximum(disc(x, y), np.float32(0.85) - np.hypot(x - np.float32(0.55), y)))


def triangle(x: Array, y: Array) -> Array:
    """A triangle with its tip up, as wide as tall."""
    side = (np.abs(x) * 2 - y - 1) / np.float32(5**0.5)
    return _array(np.maximum(side, y - 1))


def hexagon(x: Array, y: Array) -> Array:
    """A regular hexagon."""
    return _folded(x, y, 6, 0.0, np.cos(np.pi / 6))


def diamond(x: Array, y: Array) -> Array:
    """A square on its tip."""
    return _array((np.abs(x) + np.abs(y) - 1) * np.float32(0.5**0.5))


def star(x: Array, y: Array) -> Array:
    """Five points; the inner corners lie at 0.45."""
    radius, angle = np.hypot(x, y), np.arctan2(x, -y)
    folded = np.abs(np.mod(angle + np.pi / 5, 2 * np.pi / 5) - np.pi / 5)
    px, py = radius * np.cos(folded), radius * np.sin(folded)
    edge = np.array([0.45 * np.cos(np.pi / 5) - 1, 0.45 * np.sin(np.pi / 5)])
    normal = edge[::-1] * [1, -1] / np.hypot(*edge)
    return _array((px - 1) * normal[0] + py * normal[1])


def petals(x: Array, y: Array) -> Array:
    """A blossom of six rounded petals."""
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    return _array(0.8 * (radius - 0.78 - 0.22 * np.cos(6 * angle)))


def cross(x: Array, y: Array) -> Array:
    """A plus sign."""
    wide = np.maximum(np.abs(x) - 1, np.abs(y) - np.float32(0.32))
    tall = np.maximum(np.abs(x) - np.float32(0.32), np.abs(y) - 1)
    return _array(np.minimum(wide, tall))


def _array(distance: Any) -> Array:
    return np.asarray(distance, dtype=np.float32)


def _folded(x: Array, y: Array, sides: int, start: float, inner: float) -> Array:
    sector = 2 * np.pi / sides
    angle = np.mod(np.arctan2(y, x) - start, sector) - sector / 2
    return _array(np.hypot(x, y) * np.cos(angle) - inner)


SHAPES: dict[str, Shape] = {
    shape.__name__: shape
    for shape in (
        disc, box, pill, ring, dome, crescent, triangle, hexagon, diamond, star, petals, cross,
    )
}  # fmt: skip
