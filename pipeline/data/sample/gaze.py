"""Viewers of a scene: scanpaths drawn from a stated process.

Each viewer starts near the centre and then fixates, again and again, either a thing or somewhere
else. Things are chosen by their share of attention, the viewer's own taste, nearness to the centre
and inhibition of return (what was just looked at is avoided for a while); fixations scatter about
the place of interest in the thing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pipeline.data.sample.paint import generator
from pipeline.data.sample.scene import Scene
from pipeline.data.sample.things import CATEGORIES

Array = NDArray[np.float64]

VIEWERS = 15
SIGMA = 19.0
"""Blur of the density map, pixels: about one degree of visual angle in SALICON."""
CENTRE = 0.1
"""Share of fixations that go to the centre whatever is there."""
ANYWHERE = 0.06
"""Share of fixations that go anywhere."""
TASTE = 0.4
"""Spread of viewers' own log weights."""
RETURN = 0.25
"""What is left of a thing's weight just after a fixation on it."""
RECOVERY = 0.2
"""Share of the lost weight that returns with each further fixation."""

_CENTRE_SPREAD = 0.17
_CENTRE_PULL = 0.42


@dataclass(frozen=True)
class Gaze:
    """All viewers of one scene."""

    scanpaths: list[NDArray[np.int64]]
    """Per viewer (n, 2): x, y in whole pixels from 0, in order."""
    times: list[Array]
    """Per viewer (n,): milliseconds since the scene appeared."""


def look(scene: Scene, attention: Array, *key: int) -> Gaze:
    """Fifteen scanpaths over a scene whose things get `attention` `(n,)`."""
    random = generator(*key)
    lengths = np.clip(random.poisson(8.5, VIEWERS), 4, 14)
    places, spread = _places(scene)
    pull = _pull(places, scene)
    taste = np.exp(random.normal(0, TASTE, (VIEWERS, len(places))))
    weight = attention * pull * taste
    fresh = np.ones_like(weight)
    steps = []
    for step in range(int(lengths.max())):
        point, chosen = _fixate(random, scene, weight * fresh, places, spread, first=step == 0)
        fresh += (1 - fresh) * RECOVERY
        hit = chosen >= 0
        fresh[np.flatnonzero(hit), chosen[hit]] = RETURN
        steps.append(point)
    paths = np.stack(steps, axis=1)
    pauses = np.cumsum(random.uniform(180, 420, paths.shape[:2]), axis=1)
    return Gaze(
        [paths[viewer, :length] for viewer, length in enumerate(lengths)],
        [np.round(pauses[viewer, :length]) for viewer, length in enumerate(lengths)],
    )


def density(points: NDArray[np.int64], height: int, width: int) -> NDArray[np.uint8]:
    """Fixations `(n, 2)` blurred with `SIGMA`, largest value 255; zeros without fixations."""
    if len(points) == 0:
        return np.zeros((height, width), dtype=np.uint8)
    # Sparse, because most of a bump is nothing, and because dense products use threads of their
    # own, which worker processes would fight over.
    down = csr_array(_bumps(points[:, 1], height).T)
    total = down @ _bumps(points[:, 0], width)
    scaled: NDArray[np.uint8] = np.rint(total * (255 / total.max())).astype(np.uint8)
    return scaled


def expected(scene: Scene, attention: Array) -> Array:
    """Where the process looks on average, from the scene alone `(H, W)`: an upper reference.

    Leaves out what single viewers differ in: taste, and the order that inhibition imposes.
    """
    places, spread = _places(scene)
    share = attention * _pull(places, scene)
    total = share.sum()
    share = (1 - CENTRE - ANYWHERE) * share / total if total > 0 else share
    centre = np.array([[scene.width / 2, scene.height / 2]])
    wide = np.array([[scene.width, scene.height]]) * _CENTRE_SPREAD
    where, sigma = np.concatenate([places, centre]), np.concatenate([spread, wide])
    across = _normal(np.arange(scene.width), where[:, 0], np.hypot(sigma[:, 0], SIGMA))
    down = _normal(np.arange(scene.height), where[:, 1], np.hypot(sigma[:, 1], SIGMA))
    total_map: Array = (down * np.append(share, CENTRE)[:, None]).T @ across
    return total_map + ANYWHERE / (scene.width * scene.height)


def _fixate(
    random: np.random.Generator,
    scene: Scene,
    weight: Array,
    places: Array,
    spread: Array,
    *,
    first: bool,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The next fixation of every viewer: points (V, 2) and chosen things (V,), -1 for none."""
    size = np.array([scene.width, scene.height])
    centre = 0.35 if first else CENTRE
    lot, pick = random.random(VIEWERS), random.random(VIEWERS)
    normal, uniform = random.normal(size=(VIEWERS, 2)), random.random((VIEWERS, 2))
    point = np.where(
        (lot < centre)[:, None], size * (0.5 + _CENTRE_SPREAD * normal), size * uniform
    )
    chosen = np.full(VIEWERS, -1)
    looks = (lot >= centre + ANYWHERE) & (weight.sum(axis=1) > 0) if weight.shape[1] else lot < 0
    if looks.any():
        share = np.cumsum(weight[looks], axis=1)
        chosen[looks] = (share < (pick[looks] * share[:, -1])[:, None]).sum(axis=1)
        target = chosen[looks]
        point[looks] = places[target] + spread[target] * normal[looks]
    whole = np.clip(np.rint(point), 0, size - 1).astype(np.int64)
    return whole, chosen


def _places(scene: Scene) -> tuple[Array, Array]:
    """Where in each thing people look, and how fixations scatter there `(n, 2)`, pixels."""
    where, spread = np.zeros((len(scene.things), 2)), np.zeros((len(scene.things), 2))
    for index, thing in enumerate(scene.things):
        u, v = CATEGORIES[thing.category].focus
        u *= thing.stretch
        cos, sin = np.cos(thing.turn), np.sin(thing.turn)
        offset = np.array([u * cos - v * sin, u * sin + v * cos])
        where[index] = np.array([thing.x, thing.y]) + thing.size * offset
        spread[index] = 5 + min(0.26 * thing.size, 24) * np.array([thing.stretch, 1.0])
    return where, spread


def _pull(places: Array, scene: Scene) -> Array:
    """Preference for what lies near the centre `(n,)`."""
    offset = places / [scene.width, scene.height] - 0.5
    pull: Array = np.exp(-(offset**2).sum(axis=1) / (2 * _CENTRE_PULL**2))
    return pull


def _bumps(centres: NDArray[np.int64], size: int) -> NDArray[np.float32]:
    """Unnormalised Gaussians `(n, size)`, cut off at four sigma."""
    gap = np.abs(np.arange(size)[None, :] - centres[:, None])
    reach = int(4 * SIGMA)
    profile = np.exp(-(np.arange(size + reach) ** 2) / (2 * SIGMA**2))
    profile[reach + 1 :] = 0
    bumps: NDArray[np.float32] = profile[np.minimum(gap, reach + 1)].astype(np.float32)
    return bumps


def _normal(at: NDArray[np.int64], mean: Array, sigma: Array) -> Array:
    gap = (at[None, :] - mean[:, None]) / sigma[:, None]
    normal: Array = np.exp(-(gap**2) / 2) / (sigma[:, None] * np.sqrt(2 * np.pi))
    return normal
