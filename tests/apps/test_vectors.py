"""The vectors of the apps' contract: committed as Python makes them, and right by another way."""

from __future__ import annotations

import json
import math
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mobile.bundle import verify
from mobile.contract import vectors
from mobile.manifest import read_manifest
from pipeline.errors import UserError

LISTS = json.loads((vectors.FOLDER / vectors.NAME).read_text())


def array(name: str) -> np.ndarray:
    return np.load(vectors.FOLDER / name)


def picture(name: str) -> np.ndarray:
    return np.asarray(Image.open(vectors.FOLDER / name))


def cases(name: str) -> list[Any]:
    return [pytest.param(case, id=str(number)) for number, case in enumerate(LISTS[name])]


def test_the_committed_folder_is_what_is_written_now(tmp_path: Path) -> None:
    fresh = tmp_path / "vectors"
    vectors.write(fresh)
    names = {str(p.relative_to(fresh)) for p in fresh.rglob("*") if p.is_file()}
    kept = {str(p.relative_to(vectors.FOLDER)) for p in vectors.FOLDER.rglob("*") if p.is_file()}
    assert names == kept, "stale: fovea bundle vectors"
    for name in sorted(names):
        if name.endswith(".npy"):  # another processor's exp may differ in the last bit
            assert np.allclose(np.load(fresh / name), array(name), rtol=1e-5, atol=1e-6), name
        elif name.endswith(".png"):
            assert np.array_equal(np.asarray(Image.open(fresh / name)), picture(name)), name
        elif name != vectors.NAME:
            assert (fresh / name).read_bytes() == (vectors.FOLDER / name).read_bytes(), name


@pytest.mark.parametrize("case", cases("resize"))
def test_a_resized_pixel_is_a_weighted_mean_under_a_triangle(case: dict[str, Any]) -> None:
    pixels = picture(case["input"]).astype(np.float64)
    height, width = case["height"], case["width"]
    expected = np.zeros((height, width, 3))
    for i in range(height):
        for j in range(width):
            down = triangle(pixels.shape[0], height, i)
            across = triangle(pixels.shape[1], width, j)
            expected[i, j] = np.einsum("y,x,yxc->c", down, across, pixels)
    assert np.abs(expected - array(case["output"])).max() < case["tolerance"]


def triangle(size_in: int, size_out: int, index: int) -> np.ndarray:
    scale = size_in / size_out
    centre = (index + 0.5) * scale
    heights = [max(0.0, 1 - abs(j + 0.5 - centre) / max(1.0, scale)) for j in range(size_in)]
    return np.array(heights) / sum(heights)


@pytest.mark.parametrize("case", cases("upright"))
def test_orientations_are_those_of_exif(case: dict[str, Any]) -> None:
    stored = picture(case["input"])
    turned = {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.transpose(1, 0, 2),
        6: stored[::-1].transpose(1, 0, 2),
        7: stored[::-1, ::-1].transpose(1, 0, 2),
        8: stored[:, ::-1].transpose(1, 0, 2),
    }
    assert np.array_equal(picture(case["output"]), turned[case["orientation"]])


@pytest.mark.parametrize("case", cases("tensors"))
def test_tensors_hold_whole_levels_in_rgb_order(case: dict[str, Any]) -> None:
    pixels, found = picture(case["input"]), array(case["output"])
    for y, x, c in ((0, 0, 0), (3, 5, 2), (2, 1, 1)):
        place = (0, y, x, c) if case["layout"] == "NHWC" else (0, c, y, x)
        assert found[place] == pixels[y, x, c]


@pytest.mark.parametrize("case", cases("maps"))
def test_maps_are_what_outputs_mean(case: dict[str, Any]) -> None:
    given, found = array(case["input"]).astype(np.float64), array(case["output"])
    for place in np.ndindex(*given.shape[-2:]):
        plane = given[(..., *place)]
        if case["meaning"] == "logits":
            expected = 1 / (1 + math.exp(-plane)) if plane > -700 else 0.0
        elif case["meaning"] == "log-density":
            expected = math.exp(plane - given.max())
        else:
            raised = [math.exp(value - plane.max()) for value in plane]
            expected = np.array(raised) / sum(raised)
        assert found[(..., *place)] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("case", cases("heat"))
def test_heat_spans_its_own_range(case: dict[str, Any]) -> None:
    shown, layer = array(case["input"]).astype(np.float64), picture(case["output"])
    colours = json.loads((vectors.FOLDER / "colours.json").read_text())
    span = shown.max() - shown.min()
    for place in np.ndindex(*shown.shape):
        level = math.floor(255 * (shown[place] - shown.min()) / span + 0.5) if span else 0
        red, green, blue, alpha = (int(value) for value in layer[place])
        assert f"#{red:02x}{green:02x}{blue:02x}" == colours[level]
        assert alpha == math.floor(255 * (0.3 + 0.6 * level / 255) + 0.5)


@pytest.mark.parametrize("case", cases("classes"))
def test_classes_have_their_colour_and_share(case: dict[str, Any]) -> None:
    given, layer = array(case["input"]), picture(case["output"])
    counts: dict[int, int] = {}
    for y, x in np.ndindex(*given.shape[1:]):
        best = max(range(len(given)), key=lambda index: (given[index, y, x], -index))
        counts[best] = counts.get(best, 0) + 1
        assert "#" + bytes(layer[y, x, :3]).hex() == case["colours"][best]
        assert layer[y, x, 3] == 158
    shares = [(index, count / given[0].size) for index, count in counts.items()]
    assert [tuple(each) for each in case["shares"]] == sorted(shares, key=lambda s: (-s[1], s[0]))


@pytest.mark.parametrize("case", cases("cutout"))
def test_a_cutout_keeps_the_photograph(case: dict[str, Any]) -> None:
    photo, layer, shown = picture(case["photo"]), picture(case["output"]), array(case["input"])
    assert np.array_equal(layer[..., :3], photo)
    y, x = 20, 31
    down, across = triangle(len(shown), len(photo), y), triangle(shown.shape[1], photo.shape[1], x)
    assert abs(int(layer[y, x, 3]) - 255 * down @ shown @ across) <= 1


@pytest.mark.parametrize("case", cases("correlation"))
def test_correlation_is_pearson_s(case: dict[str, Any]) -> None:
    a, b = (array(case[name]).ravel().astype(np.float64) for name in ("a", "b"))
    assert case["max_abs"] == pytest.approx(np.abs(a - b).max(), abs=1e-9)
    if case["cc"] is None:
        assert np.ptp(b) == 0
    else:
        assert case["cc"] == pytest.approx(statistics.correlation(a, b), abs=1e-9)


@pytest.mark.parametrize("case", cases("times"))
def test_percentiles_interpolate(case: dict[str, Any]) -> None:
    every = sorted(value for repeat in case["samples"] for value in repeat)
    for percent in (50, 90, 95, 99):
        rank = percent / 100 * (len(every) - 1)
        low = math.floor(rank)
        high = min(low + 1, len(every) - 1)
        expected = every[low] + (rank - low) * (every[high] - every[low])
        assert case[f"p{percent}"] == pytest.approx(expected, rel=1e-12)
    assert case["mean"] == pytest.approx(statistics.fmean(every))
    assert case["cv"] == pytest.approx(statistics.pstdev(every) / statistics.fmean(every))
    medians = [statistics.median(repeat) for repeat in case["samples"]]
    assert case["repeat_p50"] == pytest.approx(medians)
    assert case["spread"] == pytest.approx((max(medians) - min(medians)) / statistics.median(every))


@pytest.mark.parametrize("case", LISTS["manifests"], ids=lambda case: case["folder"])
def test_python_opens_whole_bundles_and_refuses_the_others(case: dict[str, Any]) -> None:
    folder = vectors.FOLDER / case["folder"]
    if case["problem"] is None:
        assert verify(folder) == []
        read_manifest(folder)
        return
    with pytest.raises(UserError) as caught:
        read_manifest(folder)
    for name in case["names"]:
        assert name in str(caught.value)
