"""Maps and overlays as files: exact levels, the report's colours, PNG that every reader takes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fovea.predict import picture, png
from pipeline.errors import UserError
from pipeline.report.overlay import blend
from tests.fovea.conftest import pixels

sizes = st.integers(1, 40)


@settings(max_examples=40)
@given(height=sizes, width=sizes, deep=st.booleans(), seed=st.integers(0, 2**16))
def test_a_png_gives_back_every_pixel(height: int, width: int, deep: bool, seed: int) -> None:
    kind = np.uint16 if deep else np.uint8
    drawn = np.random.default_rng(seed).integers(0, np.iinfo(kind).max + 1, (height, width), kind)
    with Image.open(io.BytesIO(png.encode(drawn))) as image:
        image.verify()
    read = np.asarray(Image.open(io.BytesIO(png.encode(drawn))))
    assert read.dtype == kind
    assert np.array_equal(read, drawn)


@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2)), np.zeros(4, np.uint8)]
)
def test_a_png_holds_whole_grey_levels_only(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="grey PNG"):
        png.encode(wrong)


def test_a_probability_is_the_sigmoid_and_never_overflows() -> None:
    logits = np.array([[-1e30, -1000, -1, 0], [1, 20, 1000, 1e30]], np.float32)
    with np.errstate(all="raise", under="ignore"):
        shown = picture.probability(logits, "logits")
    assert shown.dtype == np.float32
    assert np.allclose(shown, [[0, 0, 0.26894142, 0.5], [0.7310586, 1, 1, 1]], atol=1e-7)


def test_an_output_of_unknown_meaning_is_refused() -> None:
    with pytest.raises(UserError, match="'depth'"):
        picture.probability(np.zeros((2, 2), np.float32), "depth")


def test_a_density_is_drawn_with_its_peak_at_one() -> None:
    output = np.log(np.array([[0.1, 0.2], [0.4, 0.3]], np.float32)) + 50
    shown = picture.probability(output, "log-density")
    np.testing.assert_allclose(shown, [[0.25, 0.5], [1, 0.75]], rtol=1e-4)


def test_levels_use_the_full_scale() -> None:
    shown = np.array([[0, 0.25, 0.5, 1]], np.float32)
    assert picture.levels(shown).tolist() == [[0, 64, 128, 255]]
    assert picture.levels(shown, 16).tolist() == [[0, 16384, 32768, 65535]]


def test_an_overlay_has_the_colours_of_the_report() -> None:
    photo = pixels(48, 64)
    shown = np.linspace(0.1, 0.6, 48 * 64, dtype=np.float32).reshape(48, 64)
    drawn = np.asarray(picture.overlay(picture.grey(photo, None), shown).convert("RGB"))
    difference = np.abs(drawn.astype(int) - blend(photo, shown))
    assert difference.max() <= 4  # grey and map are rounded to whole levels first
    assert difference.mean() < 1


def test_a_flat_map_is_drawn_as_the_lowest() -> None:
    grey = picture.grey(pixels(8, 8), None)
    drawn = np.asarray(picture.overlay(grey, np.full((8, 8), 0.7, np.float32)).convert("RGB"))
    lowest = np.asarray(picture.overlay(grey, np.zeros((4, 4), np.float32)).convert("RGB"))
    assert np.array_equal(drawn, lowest)


@pytest.mark.parametrize(
    ("size", "longest", "expected"),
    [((40, 80), 20, (10, 20)), ((40, 80), 80, (40, 80)), ((40, 80), None, (40, 80)),
     ((200, 1), 50, (50, 1))],
)  # fmt: skip
def test_overlays_are_bounded_and_never_enlarged(
    size: tuple[int, int], longest: int | None, expected: tuple[int, int]
) -> None:
    assert picture.grey(pixels(*size), longest).shape == expected
