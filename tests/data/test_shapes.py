"""Shapes and objects: inside, outside, and edges one pixel wide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.data.sample.paint import KINDS
from pipeline.data.sample.render import render
from pipeline.data.sample.scene import Background, Scene, Surface, Thing
from pipeline.data.sample.shapes import SHAPES
from pipeline.data.sample.things import CATEGORIES, NAMES, PLAIN

GREY = Surface((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
RED = Surface((0.9, 0.1, 0.1), (0.8, 0.1, 0.1))
ROOM = Background("wall", GREY, GREY, seed=1)
AREAS = {"disc": np.pi, "box": 4.0, "ring": np.pi * 0.75, "triangle": 2.0, "diamond": 2.0}
AREAS |= {"dome": np.pi / 2, "hexagon": 1.5 * 3**0.5, "pill": np.pi / 4 + 1}


def scene(*things: Thing, background: Background = ROOM) -> Scene:
    return Scene("test", background, things, light=-1.0, seed=3, height=120, width=160)


def thing(category: str, **changes: float) -> Thing:
    return replace(Thing(category, 80, 60, 30, 0.0, RED), **changes)


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_fill_the_unit_circle_and_no_more(name: str) -> None:
    y, x = np.mgrid[-2:2:401j, -2:2:401j].astype(np.float32)
    inside = SHAPES[name](x, y) < 0
    reach = np.maximum(np.abs(x), np.abs(y))[inside].max()
    assert 0.75 < reach <= 1.01
    if name in AREAS:
        assert inside.sum() * 0.01**2 == pytest.approx(AREAS[name], rel=0.02)


@pytest.mark.parametrize("name", SHAPES)
def test_distances_are_close_to_true_at_the_outline(name: str) -> None:
    y, x = np.mgrid[-1.5:1.5:301j, -1.5:1.5:301j].astype(np.float32)
    distance = SHAPES[name](x, y)
    down, across = np.gradient(distance, 0.01)
    slope = np.hypot(down, across)[np.abs(distance) < 0.05]
    assert np.quantile(slope, 0.05) > 0.6
    assert np.quantile(slope, 0.95) < 1.7


def test_parts_name_shapes_that_exist() -> None:
    assert {part.shape for c in CATEGORIES.values() for part in c.parts} <= set(SHAPES)
    assert set(PLAIN) <= set(NAMES)


@pytest.mark.parametrize("category", NAMES)
def test_every_category_is_seen_where_it_stands(category: str) -> None:
    painted = render(scene(thing(category)))
    bare = render(scene())
    owned = painted.owner == 0
    assert owned.sum() > 0.12 * np.pi * 30**2
    rows, columns = np.nonzero(owned)
    assert np.hypot(rows - 60, columns - 80).max() < 30 * 1.5
    changed = np.abs(painted.pixels.astype(int) - bare.pixels).max(axis=2) > 20
    assert changed[owned].mean() > 0.8
    assert not changed[~owned].mean() > 0.02


def test_edges_are_anti_aliased() -> None:
    pixels = render(scene(thing("ball", x=80.4))).pixels.astype(int)
    red = pixels[60, :, 0] - pixels[60, :, 1]
    between = ((red > 12) & (red < 0.4 * red.max())).sum()
    assert 1 <= between <= 4  # one or two pixels on either side


def test_later_things_cover_earlier_ones() -> None:
    owner = render(scene(thing("ball"), thing("ball", size=15))).owner
    assert owner[60, 80] == 1
    assert owner[60, 80 - 22] == 0


def test_turning_moves_the_mask() -> None:
    upright = render(scene(thing("bar"))).owner == 0
    lying = render(scene(thing("bar", turn=np.pi / 2))).owner == 0
    assert np.ptp(np.nonzero(upright)[0]) > 2 * np.ptp(np.nonzero(upright)[1])
    assert np.ptp(np.nonzero(lying)[1]) > 2 * np.ptp(np.nonzero(lying)[0])


def test_things_outside_the_picture_are_no_trouble() -> None:
    owner = render(scene(thing("ball", x=-500.0), thing("ball", x=0.0))).owner
    assert 0 not in owner
    assert 1 in owner


@pytest.mark.parametrize("kind", KINDS)
def test_backgrounds_are_textured(kind: str) -> None:
    first, second = Surface((0.2, 0.4, 0.3), (0.3, 0.6, 0.3), "grain"), GREY
    room = Background(kind, first, second, seed=4)
    pixels = render(scene(background=room)).pixels
    assert pixels.shape == (120, 160, 3)
    assert pixels.std() > 5
    assert not np.array_equal(pixels, render(scene(background=replace(room, seed=5))).pixels)
