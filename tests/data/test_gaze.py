"""Generated viewers look at what stands out, and a model must look at the picture to know."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from pipeline.data.fixations import Fixations
from pipeline.data.sample import gaze, salience
from pipeline.data.sample.compose import compose
from pipeline.data.sample.render import render
from pipeline.data.sample.scene import Background, Scene, Surface, Thing
from pipeline.metrics.saliency import cc, nss

GREY = Surface((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
BLUE = Surface((0.2, 0.3, 0.8), (0.2, 0.3, 0.8))
ORANGE = Surface((0.9, 0.5, 0.1), (0.9, 0.5, 0.1))
ODD = 13


def rows_of(category: str, /, **change: object) -> Scene:
    """Thirty like things, one changed."""
    things = [
        Thing(category, 60.0 + 104 * column, 60.0 + 90 * row, 20, 0.3, BLUE)
        for row in range(5)
        for column in range(6)
    ]
    things[ODD] = replace(things[ODD], **change)
    return Scene("test", Background("wall", GREY, GREY, 1), tuple(things), -1.0, 2)


@pytest.mark.parametrize(
    "change",
    [
        {"surface": ORANGE},
        {"turn": 0.3 + math.pi / 2},
        {"size": 34},
        {"category": "star"},
    ],
    ids=["colour", "direction", "size", "kind"],
)
def test_the_odd_one_pops_out(change: dict[str, object]) -> None:
    scene = rows_of("bar", **change)
    share = salience.weights(scene, render(scene))
    assert share.sum() == pytest.approx(1)
    assert share.argmax() == ODD
    assert share[ODD] > 5 * np.median(share)


def test_like_things_get_like_shares() -> None:
    share = salience.weights(rows_of("bar"), render(rows_of("bar")))
    assert share.max() < 1.5 * share.min()


def test_faces_draw_the_eye() -> None:
    things = (Thing("face", 200, 240, 40, 0, ORANGE), Thing("ball", 440, 240, 40, 0, ORANGE))
    scene = Scene("test", Background("wall", GREY, GREY, 1), things, -1.0, 2)
    face, ball = salience.weights(scene, render(scene))
    assert face > 2 * ball


def test_fixations_fall_on_the_odd_one() -> None:
    scene = rows_of("bar", surface=ORANGE)
    seen = gaze.look(scene, salience.weights(scene, render(scene)), 7)
    points = np.concatenate(seen.scanpaths)
    odd = scene.things[ODD]
    near = np.hypot(*(points - [odd.x, odd.y]).T) < 40
    assert near.mean() > 0.2


def test_scanpaths_are_what_the_data_set_holds() -> None:
    scene = compose(0, 0, 1)
    seen = gaze.look(scene, salience.weights(scene, render(scene)), 0, 0, 1)
    assert len(seen.scanpaths) == len(seen.times) == gaze.VIEWERS
    for path, times in zip(seen.scanpaths, seen.times, strict=True):
        assert path.shape == (len(times), 2)
        assert 4 <= len(path) <= 14
        assert (path >= 0).all()
        assert (path < [scene.width, scene.height]).all()
        assert (np.diff(times) > 0).all()


def test_an_empty_scene_can_be_looked_at() -> None:
    scene = replace(rows_of("bar"), things=())
    seen = gaze.look(scene, salience.weights(scene, render(scene)), 1)
    assert sum(map(len, seen.scanpaths)) >= 4 * gaze.VIEWERS
    assert gaze.expected(scene, np.zeros(0)).argmax() == pytest.approx(640 * 240 + 320, abs=641)


def test_density_is_the_blurred_fixation_map() -> None:
    points = np.array([[300, 200], [300, 200], [340, 210], [0, 479], [620, 3]])
    counts = Fixations(points.astype(np.float32), np.zeros(5, dtype=np.int64), 480, 640).counts()
    blurred = gaussian_filter(counts.astype(float), gaze.SIGMA, mode="constant", truncate=4.0)
    actual = gaze.density(points, 480, 640)
    assert actual.max() == 255
    np.testing.assert_allclose(actual, blurred / blurred.max() * 255, atol=0.51)
    assert gaze.density(points[:0], 48, 64).max() == 0


def test_a_centre_prior_is_no_match_for_looking() -> None:
    """The sample data can tell a model that looks from one that does not."""
    scores: dict[str, list[tuple[float, float]]] = {"prior": [], "scene": []}
    y, x = np.mgrid[0:480, 0:640]
    prior = np.exp(-(((x - 320) / 160) ** 2 + ((y - 240) / 120) ** 2) / 2)
    for number in range(10):
        scene = compose(0, 1, number)
        share = salience.weights(scene, render(scene))
        points = np.concatenate(gaze.look(scene, share, 0, 1, number).scanpaths)
        counts = Fixations(points.astype(np.float32), np.zeros(len(points), np.int64), 480, 640)
        fixated = torch.from_numpy(counts.counts())[None]
        density = torch.from_numpy(gaze.density(points, 480, 640).astype(np.float32))[None]
        for name, guess in (("prior", prior), ("scene", gaze.expected(scene, share))):
            shown = torch.from_numpy(guess)[None]
            scores[name].append((nss(shown, fixated).item(), cc(shown, density).item()))
    prior_nss, prior_cc = np.mean(scores["prior"], axis=0)
    scene_nss, scene_cc = np.mean(scores["scene"], axis=0)
    assert scene_nss > 2.2
    assert scene_cc > 0.85
    assert prior_nss < 1.0
    assert prior_cc < 0.45
