"""Scenes at random, a pure function of a key: what stands where, in which colours."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pipeline.data.class_names import SAMPLE_THINGS
from pipeline.data.sample.paint import generator
from pipeline.data.sample.scene import HEIGHT, WIDTH, Background, Colour, Scene, Surface, Thing
from pipeline.data.sample.things import CATEGORIES, GROWN, PLAIN

Random = np.random.Generator
Maker = Callable[[Random, Background], list[Thing]]

_LONG = tuple(name for name in PLAIN if CATEGORIES[name].long)
_FILLERS = tuple(name for name in PLAIN if name not in SAMPLE_THINGS)
_SKINS = ((0.06, 0.35, 0.95), (0.07, 0.45, 0.8), (0.06, 0.55, 0.6), (0.05, 0.55, 0.42))
_PATTERNS = ("plain", "plain", "grain", "stripes", "checks", "dots")


def compose(*key: int) -> Scene:
    """The scene of a key, such as (seed, stream, number)."""
    random = generator(*key)
    kind = str(random.choice(list(_MAKERS), p=[0.24, 0.18, 0.24, 0.2, 0.14]))
    background = _ground_for(random, kind)
    things = _MAKERS[kind](random, background)
    light = float(random.uniform(-2.6, -0.5))
    return Scene(kind, background, tuple(things), light, int(random.integers(1 << 31)))


def odd_ones(random: Random, _background: Background) -> list[Thing]:
    """Rows of alike things, one or two of them odd in colour, direction, size or kind."""
    odd = str(random.choice(["colour", "turn", "size", "category"]))
    return _array(random, [odd] * int(random.integers(1, 3)))


def rivals(random: Random, _background: Background) -> list[Thing]:
    """Rows of alike things among which odd ones of several sorts compete."""
    sorts = random.permutation(["colour", "turn", "size", "category"])
    return _array(random, [str(s) for s in sorts[: int(random.integers(2, 5))]])


def scatter(random: Random, _background: Background) -> list[Thing]:
    """A few different things of all sizes."""
    things: list[Thing] = []
    for _ in range(int(random.integers(3, 9))):
        category = str(random.choice(list(CATEGORIES)))
        size = float(np.exp(random.uniform(math.log(20), math.log(85))))
        turn = 0.0 if category in GROWN else float(random.uniform(0, math.tau))
        things += _placed(random, things, category, size, turn, _surface(random, category))
    return things


def landscape(random: Random, background: Background) -> list[Thing]:
    """Things that stand on the ground, smaller towards the horizon."""
    line = background.horizon * HEIGHT
    things = []
    for depth in np.sort(random.uniform(0.05, 0.95, int(random.integers(4, 10)))):
        category = str(random.choice(GROWN))
        size = (18 + 75 * float(depth)) * float(random.uniform(0.75, 1.25))
        foot = line + (HEIGHT - line) * float(depth) * 0.9
        x = float(np.clip(random.normal(WIDTH / 2, WIDTH / 3.4), size * 0.5, WIDTH - size * 0.5))
        surface = _surface(random, category)
        things.append(Thing(category, x, foot - size * 0.9, size, 0.0, surface, shadow=0.3))
    if random.random() < 0.5:
        sky = str(random.choice(["ball", "moon", "kite", "star"]))
        x, y = float(random.uniform(50, WIDTH - 50)), float(random.uniform(0.2, 0.6)) * line
        surface = _surface(random, sky)
        things.insert(0, Thing(sky, x, y, float(random.uniform(14, 30)), 0.0, surface))
    return things


def portrait(random: Random, _background: Background) -> list[Thing]:
    """One or two large things among small ones."""
    things: list[Thing] = []
    for _ in range(int(random.integers(1, 3))):
        category = str(random.choice(["face", "face", "person", "house", "flower", "cup", "car"]))
        size = float(random.uniform(75, 135))
        tilt = float(random.normal(0, 0.12))
        things += _placed(random, things, category, size, tilt, _surface(random, category))
    for _ in range(int(random.integers(2, 7))):
        category = str(random.choice(PLAIN))
        turn = float(random.uniform(0, math.tau))
        size = float(random.uniform(12, 30))
        things += _placed(random, things, category, size, turn, _surface(random, category))
    return things


def alone(category: str, *key: int) -> Scene:
    """A small picture of one large thing, a few tiny plain ones beside it, of a key."""
    random = generator(*key)
    background = _ground_for(random, "portrait")
    height, width = HEIGHT // 2, WIDTH // 2
    size = height * float(random.uniform(0.2, 0.42))
    x, y = (side * float(random.uniform(0.34, 0.66)) for side in (width, height))
    tilt = float(random.normal(0, 0.2))
    surface = _surface(random, category)
    stretch, shadow = float(random.uniform(0.85, 1.2)), float(random.choice([0, 0.25, 0.4]))
    things = [Thing(category, x, y, size, tilt, surface, stretch, shadow)]
    for _ in range(int(random.integers(0, 4))):
        other = str(random.choice(_FILLERS))
        place = (float(random.uniform(0, width)), float(random.uniform(0, height)))
        turn, small = float(random.uniform(0, math.tau)), float(random.uniform(6, 14))
        things.insert(0, Thing(other, *place, small, turn, _surface(random, other)))
    light = float(random.uniform(-2.6, -0.5))
    seed = int(random.integers(1 << 31))
    return Scene("alone", background, tuple(things), light, seed, height, width)


_MAKERS: dict[str, Maker] = {
    maker.__name__: maker for maker in (odd_ones, rivals, scatter, landscape, portrait)
}


def _array(random: Random, odd: list[str]) -> list[Thing]:
    size = float(random.uniform(15, 27))
    turning = "turn" in odd
    category = str(random.choice(_LONG if turning else PLAIN))
    turn = float(random.uniform(0, math.tau))
    surface = _surface(random, category)
    model = Thing(category, 0, 0, size, turn, surface, shadow=float(random.choice([0, 0.35])))
    places = _places(random, size * float(random.uniform(2.7, 4.2)))
    chosen = _mildly_central(random, places, len(odd))
    things = []
    for index, (x, y) in enumerate(places):
        wobble = float(random.normal(0, 0.07))
        scale = float(random.uniform(0.93, 1.07))
        thing = replace(model, x=x, y=y, turn=turn + wobble, size=size * scale)
        if index in chosen:
            thing = _made_odd(random, thing, odd[chosen.index(index)])
        things.append(thing)
    return things


def _made_odd(random: Random, thing: Thing, sort: str) -> Thing:
    if sort == "turn":
        return replace(thing, turn=thing.turn + float(random.uniform(0.7, math.pi / 2)))
    if sort == "size":
        return replace(thing, size=thing.size * float(random.choice([0.5, 1.45, 1.7])))
    if sort == "category":
        others = [name for name in CATEGORIES if name != thing.category]
        other = str(random.choice(others))
        turn = 0.0 if other in GROWN else thing.turn
        painted = _surface(random, other) if other in ("face", "person") else thing.surface
        return replace(thing, category=other, turn=turn, surface=painted, size=thing.size * 1.1)
    hue, saturation, value = colorsys.rgb_to_hsv(*thing.surface.colour)
    away = hue + float(random.uniform(0.2, 0.8))
    colour = colorsys.hsv_to_rgb(away % 1, max(saturation, 0.6), max(value, 0.55))
    return replace(thing, surface=replace(thing.surface, colour=colour))


def _places(random: Random, step: float) -> list[tuple[float, float]]:
    """Grid points with a jitter, some left out, all inside the picture."""
    columns, rows = int(WIDTH / step), int(HEIGHT / step)
    left, top = (WIDTH - (columns - 1) * step) / 2, (HEIGHT - (rows - 1) * step) / 2
    jitter = step * float(random.uniform(0.02, 0.13))
    gaps = float(random.uniform(0, 0.45))
    return [
        (left + c * step + float(dx), top + r * step + float(dy))
        for r in range(rows)
        for c in range(columns)
        for dx, dy, keep in [(*random.normal(0, jitter, 2), random.random() > gaps)]
        if keep
    ]


def _mildly_central(random: Random, places: list[tuple[float, float]], count: int) -> list[int]:
    offsets = np.array([(x / WIDTH - 0.5, y / HEIGHT - 0.5) for x, y in places])
    weight = np.exp(-(offsets**2).sum(axis=1) / (2 * 0.38**2))
    chosen = random.choice(len(places), min(count, len(places)), False, weight / weight.sum())
    return [int(index) for index in chosen]


def _placed(
    random: Random, others: list[Thing], category: str, size: float, turn: float, surface: Surface
) -> list[Thing]:
    """The thing where it hides no other by much, or nothing where there is no room."""
    margin = size * 0.7
    for _ in range(30):
        x = float(random.normal(WIDTH / 2, WIDTH / 3.6))
        y = float(random.normal(HEIGHT / 2, HEIGHT / 3.6))
        inside = margin < x < WIDTH - margin and margin < y < HEIGHT - margin
        if inside and all(math.hypot(x - o.x, y - o.y) > 0.85 * (size + o.size) for o in others):
            stretch = float(random.uniform(0.8, 1.25))
            shadow = float(random.choice([0, 0.25, 0.4]))
            return [Thing(category, x, y, size, turn, surface, stretch, shadow)]
    return []


def _ground_for(random: Random, kind: str) -> Background:
    name = str(random.choice(_GROUNDS[kind]))
    hue = float(random.random())
    vivid = float(random.uniform(0.05, 0.45))
    near = _ground(random, hue, vivid, float(random.uniform(0.3, 0.8)))
    far = _ground(
        random, hue + float(random.uniform(-0.2, 0.2)), vivid, float(random.uniform(0.25, 0.9))
    )
    if name == "horizon":
        far = _ground(
            random, float(random.uniform(0.5, 0.65)), 0.35, float(random.uniform(0.6, 0.95))
        )
        far = replace(far, pattern="grain")
    seed, horizon = int(random.integers(1 << 31)), float(random.uniform(0.3, 0.62))
    return Background(name, near, far, seed, horizon)


_GROUNDS = {
    "odd_ones": ["wall", "clouds", "table", "water", "patches"],
    "rivals": ["wall", "clouds", "water", "bricks"],
    "scatter": ["wall", "clouds", "patches", "table", "bricks", "water"],
    "landscape": ["horizon"],
    "portrait": ["wall", "clouds", "patches", "table", "bricks", "horizon"],
}


def _ground(random: Random, hue: float, vivid: float, value: float) -> Surface:
    colour = colorsys.hsv_to_rgb(hue % 1, vivid, value)
    change = float(random.uniform(0.72, 1.3))
    second = colorsys.hsv_to_rgb((hue + 0.04) % 1, vivid, min(1.0, value * change))
    sort = str(random.choice(["plain", "grain", "grain", "stripes", "checks", "dots"]))
    period = float(random.uniform(9, 46))
    return Surface(colour, second, sort, period, float(random.uniform(-1.5, 1.5)))


def _surface(random: Random, category: str) -> Surface:
    if category in ("face", "person"):
        skin = _SKINS[int(random.integers(len(_SKINS)))]
        hair = colorsys.hsv_to_rgb(0.08, 0.6, float(random.uniform(0.1, 0.6)))
        if category == "face":
            return Surface(colorsys.hsv_to_rgb(*skin), hair, "plain")
        return Surface(_bright(random), colorsys.hsv_to_rgb(*skin), "plain")
    pattern = str(random.choice(_PATTERNS))
    first = _bright(random)
    if category == "tree":
        first = colorsys.hsv_to_rgb(float(random.uniform(0.2, 0.42)), 0.65, 0.5)
    return Surface(
        first, _bright(random), pattern, float(random.uniform(7, 20)), float(random.uniform(0, 3))
    )


def _bright(random: Random) -> Colour:
    saturation, value = float(random.uniform(0.35, 1.0)), float(random.uniform(0.35, 1.0))
    return colorsys.hsv_to_rgb(float(random.random()), saturation, value)
