"""Maps as benchmarks take them: of the image's size, over all levels; densities sum to 1."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from scipy.special import logsumexp

from pipeline.data.resize import resize
from pipeline.submission.maps import FLOOR, encode, grey, log_density

RNG = np.random.default_rng(0)
MAPS = arrays(np.float32, (5, 7), elements=st.floats(-50, 50, width=32))
BARELY = np.zeros((5, 7), np.float32)
BARELY[2, 3] = 1e-43
SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))


@settings(max_examples=60)
@example(values=BARELY, size=(5, 7), blur=0.0)
@given(values=MAPS, size=SIZES, blur=st.sampled_from([0.0, 1.5]))
def test_grey_levels_fill_the_range_at_the_asked_size(
    values: np.ndarray, size: tuple[int, int], blur: float
) -> None:
    levels = grey(values, size, blur)
    assert (levels.shape, levels.dtype) == (size, np.uint8)
    assert (levels.min(), levels.max()) in ((0, 255), (0, 0))


def test_grey_is_the_named_resize_scaled_by_least_and_most() -> None:
    values = RNG.random((5, 7), np.float32)
    full = resize(values, 20, 30)
    expected = np.round((full - full.min()) / (full.max() - full.min()) * 255)
    np.testing.assert_allclose(grey(values, (20, 30)), expected, atol=1)
    assert not grey(np.full((5, 7), 0.3, np.float32), (20, 30)).any()


def test_blur_is_a_gaussian_at_the_image_s_size() -> None:
    point = np.zeros((41, 41), np.float32)
    point[20, 20] = 1
    np.testing.assert_array_equal(grey(point, (41, 41)), point * 255)
    blurred = grey(point, (41, 41), blur=3)
    assert blurred[20, 20] == 255
    assert blurred[20, 23] == pytest.approx(255 * np.exp(-0.5), abs=1)


@settings(max_examples=60)
@given(logits=MAPS, size=SIZES, readout=st.sampled_from(["softmax", "sigmoid"]))
def test_densities_sum_to_one(logits: np.ndarray, size: tuple[int, int], readout: str) -> None:
    found = log_density(logits, readout, size)
    assert (found.shape, found.dtype) == (size, np.float32)
    # The benchmark's own check allows 0.01.
    assert logsumexp(found.astype(np.float64)) == pytest.approx(0, abs=1e-4)
    assert found.min() >= np.log(FLOOR) - 1e-3


def test_readouts_at_the_map_s_own_size() -> None:
    logits = RNG.normal(size=(6, 8)).astype(np.float32)
    softmax = logits - logsumexp(logits)
    np.testing.assert_allclose(log_density(logits, "softmax", (6, 8)), softmax, atol=1e-4)
    shown = 1 / (1 + np.exp(-logits))
    sigmoid = np.log(shown / shown.sum())
    np.testing.assert_allclose(log_density(logits, "sigmoid", (6, 8)), sigmoid, atol=1e-4)
    with pytest.raises(ValueError, match="no readout is called 'relu'"):
        log_density(logits, "relu", (6, 8))


def test_files_hold_what_they_were_given() -> None:
    levels = RNG.integers(0, 256, (24, 32)).astype(np.uint8)
    for suffix, kind in ((".png", "PNG"), (".jpg", "JPEG")):
        image = Image.open(io.BytesIO(encode(levels, suffix)))
        assert (image.format, image.mode, image.size) == (kind, "L", (32, 24))
    np.testing.assert_array_equal(Image.open(io.BytesIO(encode(levels, ".png"))), levels)
    density = log_density(RNG.normal(size=(6, 8)).astype(np.float32), "softmax", (24, 32))
    np.testing.assert_array_equal(np.load(io.BytesIO(encode(density, ".npy"))), density)
    with pytest.raises(ValueError, match=r"ends in '\.tiff'"):
        encode(levels, ".tiff")
