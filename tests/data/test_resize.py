"""The named resize against its definition written out, and against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.resize import resize, resize_planes, weights

SIZES = st.integers(1, 40)


def slow_resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The definition, pixel by pixel in float64."""

    def taps(size_in: int, size_out: int, i: int) -> list[float]:
        scale = size_in / size_out
        centre, support = (i + 0.5) * scale, max(1.0, scale)
        row = [max(0.0, 1 - abs(j + 0.5 - centre) / support) for j in range(size_in)]
        return [value / sum(row) for value in row]

    down = [taps(image.shape[0], height, i) for i in range(height)]
    across = [taps(image.shape[1], width, i) for i in range(width)]
    out = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            out[i, j] = sum(
                a * b * float(image[r, c])
                for r, a in enumerate(down[i])
                if a
                for c, b in enumerate(across[j])
                if b
            )
    return out


@settings(max_examples=25)
@given(SIZES, SIZES, st.integers(1, 20), st.integers(1, 20), st.integers(0, 1000))
def test_follows_its_definition(h: int, w: int, height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (h, w)).astype(np.uint8)
    np.testing.assert_allclose(
        resize(image, height, width), slow_resize(image, height, width), rtol=1e-5, atol=1e-3
    )


@pytest.mark.parametrize(
    ("size", "to"),
    [
        ((480, 640), (192, 256)),
        ((640, 480), (192, 256)),
        ((100, 90), (192, 256)),
        ((33, 700), (97, 51)),
        ((192, 256), (192, 256)),
        ((1, 1), (5, 7)),
    ],
)
def test_equals_torchs_antialiased_bilinear(size: tuple[int, int], to: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, (*size, 3)).astype(np.uint8)
    batch = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    expected = F.interpolate(batch, to, mode="bilinear", antialias=True, align_corners=False)
    actual = resize(image, *to)
    assert actual.dtype == np.float32
    np.testing.assert_allclose(actual, expected[0].permute(1, 2, 0).numpy(), atol=2e-3)


def test_channels_are_resized_alike() -> None:
    image = np.random.default_rng(2).random((31, 47, 3)).astype(np.float32)
    whole = resize(image, 20, 64)
    for channel in range(3):
        np.testing.assert_array_equal(whole[:, :, channel], resize(image[:, :, channel], 20, 64))


@pytest.mark.parametrize("strip", [100, 1 << 24])
def test_planes_are_the_same_bits(monkeypatch: pytest.MonkeyPatch, strip: int) -> None:
    monkeypatch.setattr("pipeline.data.resize._STRIP", strip)
    image = np.random.default_rng(6).integers(0, 256, (48, 64, 3)).astype(np.uint8)
    planes = resize_planes(image[::-1], 19, 26)
    assert planes.flags.c_contiguous
    np.testing.assert_array_equal(planes, resize(image[::-1], 19, 26).transpose(2, 0, 1))


def test_planes_need_channels() -> None:
    with pytest.raises(ValueError, match=r"resize_planes takes \(H, W, C\), not \(4, 4\)"):
        resize_planes(np.zeros((4, 4)), 2, 2)


def test_same_size_changes_nothing() -> None:
    image = np.random.default_rng(3).integers(0, 256, (24, 32, 3)).astype(np.uint8)
    np.testing.assert_array_equal(resize(image, 24, 32), image)


@given(st.integers(1, 300), st.integers(1, 300))
def test_weights_are_averages(size_in: int, size_out: int) -> None:
    matrix = weights(size_in, size_out)
    assert matrix.shape == (size_out, size_in)
    assert (matrix >= 0).all()
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(matrix, matrix[::-1, ::-1], atol=1e-6)  # no side is preferred


@pytest.mark.parametrize("strip", [1, 100, 1000])
def test_strips_change_no_bit(monkeypatch: pytest.MonkeyPatch, strip: int) -> None:
    image = np.random.default_rng(5).integers(0, 256, (37, 53, 3)).astype(np.uint8)
    whole = [resize(image, 11, 64), resize(image[:, :, 0], 11, 64)]
    monkeypatch.setattr("pipeline.data.resize._STRIP", strip)
    for expected, picture in zip(whole, (image, image[:, :, 0])):
        np.testing.assert_array_equal(resize(picture, 11, 64), expected)


def test_reads_views_without_changing_them() -> None:
    image = np.random.default_rng(4).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    turned = image[::-1, ::-1]
    before = turned.copy()
    np.testing.assert_array_equal(resize(turned, 8, 9), resize(before, 8, 9))
    np.testing.assert_array_equal(turned, before)


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4, 5), (0, 4)])
def test_refuses_what_is_no_image(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="resize takes"):
        resize(np.zeros(shape), 2, 2)


def test_refuses_empty_sizes() -> None:
    with pytest.raises(ValueError, match="start at 1"):
        resize(np.zeros((4, 4)), 0, 2)
