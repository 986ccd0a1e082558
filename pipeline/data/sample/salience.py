"""How much each thing of a scene stands out: feature contrast, computed from the picture.

A thing draws the eye when its colour differs from what surrounds it, when its colour, direction,
size or kind differs from the other things', and by what it is (faces and people most). Things that
look alike share the attention that one of them would get, which is what makes an odd one pop out.
Nothing hidden enters: what a model must find out can be seen.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.data.sample.render import Painted
from pipeline.data.sample.scene import Scene, Thing
from pipeline.data.sample.things import CATEGORIES

Array = NDArray[np.float64]

SURROUND = 0.8
COLOUR = 1.0
TURN = 0.8
SIZE = 0.7
KIND = 0.8
"""Weights of the contrasts, each of which lies between 0 and 1."""

ALIKE = 0.3
"""Contrast at which two things cease to be alike."""
SHARING = 0.85
"""How far a crowd of like things shares one thing's attention: 0 not at all, 1 fully."""

_STRIDE = 2


def weights(scene: Scene, painted: Painted) -> Array:
    """Each thing's share of attention `(n,)`; sums to 1 where anything can be seen."""
    if not scene.things:
        return np.zeros(0)
    own, surround, seen = _colours(scene, painted)
    between = _contrasts(scene.things, own)
    contrast = SURROUND * np.minimum(1, _distance(own, surround) / 0.4)
    contrast += between.sum(axis=1) / max(1, len(own) - 1)
    crowd = np.exp(-between / ALIKE).sum(axis=1)
    interest = np.array([CATEGORIES[thing.category].interest for thing in scene.things])
    drawn: Array = interest * (0.04 + contrast / 2) ** 2 * seen**0.25 / crowd**SHARING
    total = drawn.sum()
    return drawn / total if total > 0 else drawn


def standing_out(weights: Array) -> NDArray[np.intp]:
    """Things that get at least half of the attention of the one that gets most; none of none."""
    if not weights.size or weights.max() <= 0:
        return np.zeros(0, np.intp)
    found: NDArray[np.intp] = np.flatnonzero(weights >= weights.max() / 2)
    return found


def _contrasts(things: tuple[Thing, ...], colours: Array) -> Array:
    """How much each thing (rows) differs from each other (columns), `(n, n)`."""
    sizes = np.log2([thing.size for thing in things])
    turns = np.array([thing.turn for thing in things])
    kinds = np.array([list(CATEGORIES).index(thing.category) for thing in things])
    long = np.array([CATEGORIES[thing.category].long for thing in things])
    alike = kinds[:, None] == kinds[None, :]
    larger = sizes[:, None] - sizes[None, :]
    # A small thing among large ones stands out less than the reverse.
    size = np.minimum(1, np.where(larger > 0, larger, -0.6 * larger))
    turn = np.abs(np.sin(turns[:, None] - turns[None, :])) * (alike & long[:, None])
    colour = np.minimum(1, _distance(colours[:, None], colours[None, :]) / 0.5)
    total: Array = COLOUR * colour + TURN * turn + SIZE * size + KIND * ~alike
    return total


def _colours(scene: Scene, painted: Painted) -> tuple[Array, Array, Array]:
    """Opponent colours of each thing and of its surround `(n, 3)`, and its visible area `(n,)`."""
    pixels, owner = painted.pixels[::_STRIDE, ::_STRIDE], painted.owner[::_STRIDE, ::_STRIDE]
    own = np.zeros((len(scene.things), 3))
    surround, seen = np.zeros_like(own), np.zeros(len(own))
    for index, thing in enumerate(scene.things):
        window = _window(thing)
        inside = owner[window] == index
        area = pixels[window][inside]
        around = pixels[window][~inside]
        seen[index] = len(area)
        if len(area):
            own[index] = _opponent(area.mean(axis=0))
            surround[index] = _opponent(around.mean(axis=0)) if len(around) else own[index]
    return own, surround, seen


def _window(thing: Thing) -> tuple[slice, slice]:
    reach = thing.size * 1.5 + 2
    y, x = thing.y / _STRIDE, thing.x / _STRIDE
    reach = math.ceil(reach / _STRIDE)
    top, left = max(0, int(y) - reach), max(0, int(x) - reach)
    return slice(top, max(top, int(y) + reach)), slice(left, max(left, int(x) + reach))


def _opponent(rgb: Array) -> Array:
    """Lightness, red-green and blue-yellow of a mean colour 0-255."""
    red, green, blue = rgb / 255
    return np.array([0.7 * (red + green + blue) / 3, red - green, blue - (red + green) / 2])


def _distance(first: Array, second: Array) -> Array:
    gap: Array = np.sqrt(((first - second) ** 2).sum(axis=-1))
    return gap
