"""Patterns and backgrounds as float32 arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data.resize import resize
from pipeline.data.sample.scene import Background, Colour, Surface

Array = NDArray[np.float32]


@dataclass(frozen=True)
class View:
    """What a background is painted from."""

    scene: Background
    x: Array
    """(1, W): pixels from the left edge."""
    y: Array
    """(H, 1): pixels from the top edge."""
    cloud: Array
    """(H, W): noise."""

    @property
    def height(self) -> int:
        """Rows."""
        return len(self.cloud)

    @property
    def width(self) -> int:
        """Columns."""
        return len(self.cloud[0])


Painter = Callable[[View], Array]

KINDS: dict[str, Painter] = {}
"""Backgrounds by name: each gives the share of `far` per pixel."""


def generator(*key: int) -> np.random.Generator:
    """The random numbers that belong to a key."""
    return np.random.Generator(np.random.PCG64(list(key)))


def noise(height: int, width: int, seed: int, roughness: float = 0.55) -> Array:
    """Cloudy noise `(height, width)`, about 0-1: octaves of smooth random values."""
    random = generator(seed, 11)
    total = np.zeros((height, width), dtype=np.float32)
    amplitude, weight = 1.0, 0.0
    for cells in (3, 7, 17, 41, 97):
        grid = random.random((cells * height // width + 2, cells + 1), dtype=np.float32)
        total += np.float32(amplitude) * resize(grid, height, width)
        weight += amplitude
        amplitude *= roughness
    stretched: Array = np.clip((total / np.float32(weight) - 0.5) * 1.9 + 0.5, 0, 1)
    return stretched.astype(np.float32, copy=False)


def pattern(surface: Surface, x: Array, y: Array, cloud: Array) -> Array:
    """Share of the second colour per pixel, 0-1. `x`, `y` are pixels, `cloud` is noise there."""
    if surface.pattern == "plain":
        return cloud * _f(0.15)
    if surface.pattern == "grain":
        return cloud
    scale = 2 * np.pi / surface.period
    cos, sin = np.float32(np.cos(surface.turn) * scale), np.float32(np.sin(surface.turn) * scale)
    wave = np.sin(x * cos + y * sin)
    if surface.pattern == "checks":
        wave *= np.sin(y * cos - x * sin) * _f(2)
    elif surface.pattern == "dots":
        wave += np.sin(y * cos - x * sin) - _f(0.9)
    return _step(wave * _f(2.5))


def blend(surface: Surface, share: Array) -> Array:
    """Colours `(3, H, W)` between the surface's two by `share` `(H, W)`."""
    return np.stack([_mix(ends, share) for ends in _ends(surface)])


def planes(colour: Colour) -> Array:
    """A colour as `(3, 1, 1)`."""
    return np.asarray(colour, dtype=np.float32)[:, None, None]


def view(scene: Background, height: int, width: int) -> View:
    """What the background of a scene is painted from."""
    x = np.arange(width, dtype=np.float32)[None, :]
    y = np.arange(height, dtype=np.float32)[:, None]
    return View(scene, x, y, noise(height, width, scene.seed))


def background(scene: Background, height: int, width: int) -> tuple[Array, Array]:
    """The picture without things `(3, height, width)` and the noise it was made with."""
    seen = view(scene, height, width)
    x, y, cloud = seen.x, seen.y, seen.cloud
    share = KINDS[scene.kind](seen)
    near = pattern(scene.near, x, y, cloud)
    far = pattern(scene.far, x, y, cloud[::-1, ::-1])
    picture = np.empty((3, height, width), dtype=np.float32)
    for plane, behind, before in zip(picture, _ends(scene.far), _ends(scene.near), strict=True):
        # One plane at a time stays in the cache.
        front = _mix(before, near)
        np.add(front, share * (_mix(behind, far) - front), out=plane)
    return picture, cloud


def kind(painter: Painter) -> Painter:
    """Register a background under its function's name."""
    KINDS[painter.__name__] = painter
    return painter


@kind
def wall(view: View) -> Array:
    """One surface, lit unevenly."""
    return (view.x / view.width + view.y / view.height) * _f(0.3) + view.cloud * _f(0.2)


@kind
def clouds(view: View) -> Array:
    """Two surfaces that run into one another."""
    return view.cloud


@kind
def patches(view: View) -> Array:
    """Two surfaces with a ragged border."""
    return _step((view.cloud - _f(0.5)) * _f(14))


@kind
def horizon(view: View) -> Array:
    """Ground below, sky above, a bent line between them."""
    bend = (view.cloud[view.height // 2] - _f(0.5)) * _f(70)
    return _step((_f(view.scene.horizon * view.height) + bend - view.y) * _f(0.5))


@kind
def table(view: View) -> Array:
    """A table's edge before a wall."""
    slope = _f(view.scene.near.turn * 0.08)
    return _step(_f(view.scene.horizon * view.height) + view.x * slope - view.y)


@kind
def bricks(view: View) -> Array:
    """Courses of bricks; the joints are the far surface."""
    height = _f(max(view.scene.near.period, 14.0) * 1.4)
    width = height * _f(2.2)
    odd = np.floor(view.y / height) % _f(2)
    across = (view.x + odd * width / _f(2)) % width
    return _step(_f(2) - np.minimum(view.y % height, across)) * _f(0.8)


@kind
def water(view: View) -> Array:
    """Ripples that grow denser with distance."""
    depth = np.sqrt(view.y / _f(view.height) + _f(0.05)) * _f(70)
    wave: Array = np.sin(depth + view.cloud * _f(9) + view.x * _f(0.01))
    return wave * _f(0.5) + _f(0.5)


def _ends(surface: Surface) -> list[tuple[float, float]]:
    return list(zip(surface.colour, surface.second, strict=True))


def _mix(ends: tuple[float, float], share: Array) -> Array:
    return share * _f(ends[1] - ends[0]) + _f(ends[0])


def _f(value: float) -> np.float32:
    return np.float32(value)


def _step(ramp: Array) -> Array:
    """0 below -0.5, 1 above 0.5."""
    share: Array = np.clip(ramp + _f(0.5), 0, 1)
    return share
