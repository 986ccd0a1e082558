"""A scene as pixels: the picture, and which thing every pixel shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data.sample import paint
from pipeline.data.sample.scene import Scene, Thing
from pipeline.data.sample.shapes import SHAPES
from pipeline.data.sample.things import CATEGORIES, Part

Array = NDArray[np.float32]

_DARK = (0.13, 0.1, 0.09)
_LIGHT = (0.94, 0.94, 0.9)


@dataclass(frozen=True)
class Painted:
    """A rendered scene."""

    pixels: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    owner: NDArray[np.int16]
    """(H, W): index of the visible thing, -1 for the background."""


@dataclass(frozen=True)
class _Window:
    """The part of the picture that a thing can touch."""

    rows: slice
    columns: slice
    x: Array
    """Pixels right of the thing's centre."""
    y: Array
    """Pixels below the thing's centre."""


def render(scene: Scene) -> Painted:
    """Paint the background, then the things in order, each anti-aliased over what lies behind."""
    height, width = scene.height, scene.width
    picture, cloud = paint.background(scene.background, height, width)
    owner = np.full((height, width), -1, dtype=np.int16)
    for index, thing in enumerate(scene.things):
        window = _window(thing, height, width)
        if window is None:
            continue
        _cast_shadow(picture, thing, window, scene.light)
        covered = _paint_thing(picture, thing, window, scene.light, cloud)
        owner[window.rows, window.columns][covered > 0.5] = index
    return Painted(_developed(picture, scene), owner)


def _developed(picture: Array, scene: Scene) -> NDArray[np.uint8]:
    """Pixels (H, W, 3) of a picture (3, H, W), with a little grain."""
    grain = paint.generator(scene.seed, 13).random((scene.height, scene.width), dtype=np.float32)
    grain -= np.float32(0.5)
    grain *= np.float32(0.05 * 255)
    pixels = np.empty((scene.height, scene.width, 3), dtype=np.uint8)
    for channel, plane in enumerate(picture):
        value = plane * np.float32(255) + grain
        pixels[:, :, channel] = np.rint(np.clip(value, 0, 255, out=value), out=value)
    return pixels


def _window(thing: Thing, height: int, width: int) -> _Window | None:
    reach = thing.size * max(1.0, thing.stretch) * 1.25 + 4
    top, bottom = max(0, int(thing.y - reach)), min(height, int(thing.y + reach) + 1)
    left, right = max(0, int(thing.x - reach)), min(width, int(thing.x + reach) + 1)
    if top >= bottom or left >= right:
        return None
    columns = np.arange(left, right, dtype=np.float32) + np.float32(0.5 - thing.x)
    rows = np.arange(top, bottom, dtype=np.float32) + np.float32(0.5 - thing.y)
    x, y = np.meshgrid(columns, rows)
    return _Window(slice(top, bottom), slice(left, right), x, y)


def _frame(thing: Thing, x: Array, y: Array) -> tuple[Array, Array]:
    """Pixel offsets in units of the thing, turned back."""
    cos, sin = np.float32(np.cos(thing.turn)), np.float32(np.sin(thing.turn))
    size = np.float32(1 / thing.size)
    return (x * cos + y * sin) * size / np.float32(thing.stretch), (y * cos - x * sin) * size


def _coverage(thing: Thing, part: Part, u: Array, v: Array, soft: float = 1.0) -> Array:
    """How much of each pixel a part covers, 0-1; `soft` is the width of its edge in pixels."""
    u, v = u - np.float32(part.x), v - np.float32(part.y)
    distance = SHAPES[part.shape](u / np.float32(part.w), v / np.float32(part.h))
    pixels = thing.size * min(part.w * thing.stretch, part.h)
    return np.clip(0.5 - distance * np.float32(pixels / soft), 0, 1).astype(np.float32, copy=False)


def _cast_shadow(picture: Array, thing: Thing, window: _Window, light: float) -> None:
    if thing.shadow <= 0:
        return
    away = thing.size * 0.14
    x = window.x + np.float32(away * np.cos(light))
    y = window.y + np.float32(away * np.sin(light))
    u, v = _frame(thing, x, y)
    body = max(CATEGORIES[thing.category].parts, key=lambda part: part.w * part.h)
    shade = _coverage(thing, body, u, v, soft=max(3.0, thing.size * 0.2))
    area = picture[:, window.rows, window.columns]
    area *= 1 - np.float32(thing.shadow) * shade


def _paint_thing(
    picture: Array, thing: Thing, window: _Window, light: float, cloud: Array
) -> Array:
    u, v = _frame(thing, window.x, window.y)
    area = picture[:, window.rows, window.columns]
    facing = (window.x * np.cos(light) + window.y * np.sin(light)) / np.float32(thing.size)
    lit = np.clip(1.0 + 0.3 * facing - 0.12 * (u * u + v * v), 0.45, 1.35).astype(np.float32)
    skin = _skin(thing, window, cloud)
    covered = np.zeros(u.shape, dtype=np.float32)
    for part in CATEGORIES[thing.category].parts:
        alpha = _coverage(thing, part, u, v)
        colour = skin if part.tone == "main" else _tone(thing, part.tone)
        shown = colour * lit
        shown -= area
        shown *= alpha
        area += shown
        np.maximum(covered, alpha, out=covered)
    return covered


def _skin(thing: Thing, window: _Window, cloud: Array) -> Array:
    """The thing's pattern, which turns and moves with it."""
    cos, sin = np.float32(np.cos(thing.turn)), np.float32(np.sin(thing.turn))
    along, across = window.x * cos + window.y * sin, window.y * cos - window.x * sin
    grain = cloud[window.rows, window.columns]
    return paint.blend(thing.surface, paint.pattern(thing.surface, along, across, grain))


def _tone(thing: Thing, tone: str) -> Array:
    if tone == "second":
        return paint.planes(thing.surface.second)
    return paint.planes(_DARK if tone == "dark" else _LIGHT)
