"""Every kind of image file is read as a person sees it, or refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.data.images import read_map, read_rgb, read_size
from pipeline.errors import UserError

RAMP = np.linspace(0, 255, 12 * 16).reshape(12, 16).round().astype(np.uint8)
COLOURS = np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], axis=2)


def test_colour(tmp_path: Path) -> None:
    Image.fromarray(COLOURS).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), COLOURS)


def test_grey_fills_all_channels(tmp_path: Path) -> None:
    Image.fromarray(RAMP).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), RAMP[:, :, None].repeat(3, 2))


def test_black_and_white(tmp_path: Path) -> None:
    Image.fromarray(RAMP > 100).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png")[:, :, 0], (RAMP > 100) * 255)


@pytest.mark.parametrize("alpha", [0, 128, 255])
def test_transparency_lies_on_white(tmp_path: Path, alpha: int) -> None:
    layers = np.dstack([COLOURS, np.full_like(RAMP, alpha)])
    Image.fromarray(layers).save(tmp_path / "a.png")
    expected = 255 + (COLOURS.astype(float) - 255) * alpha / 255
    np.testing.assert_allclose(read_rgb(tmp_path / "a.png"), expected, atol=1)


def test_transparent_palette_lies_on_white(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([10, 20, 30, 200, 100, 0])
    image.putpixel((1, 1), 1)
    image.save(tmp_path / "a.png", transparency=0)
    pixels = read_rgb(tmp_path / "a.png")
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[1, 1].tolist() == [200, 100, 0]


def test_cmyk(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    red = read_rgb(tmp_path / "a.jpg")[4, 4]
    assert red[0] > 240
    assert red[1:].max() < 15


def test_sixteen_bits_keep_their_brightness(tmp_path: Path) -> None:
    deep = (RAMP.astype(np.uint16) * 257).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png")[:, :, 1], RAMP)
    np.testing.assert_allclose(read_map(tmp_path / "a.png"), RAMP / 255, atol=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_by_exif(tmp_path: Path, orientation: int) -> None:
    undo = {
        1: COLOURS,
        2: COLOURS[:, ::-1],
        3: COLOURS[::-1, ::-1],
        4: COLOURS[::-1],
        5: COLOURS.swapaxes(0, 1),
        6: np.rot90(COLOURS, -1),
        7: COLOURS[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(COLOURS, 1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(COLOURS).save(tmp_path / "a.png", exif=exif)
    pixels = read_rgb(tmp_path / "a.png")
    np.testing.assert_array_equal(pixels, undo[orientation])
    assert read_size(tmp_path / "a.png") == pixels.shape[:2]


def test_map_is_zero_to_one(tmp_path: Path) -> None:
    Image.fromarray(RAMP).save(tmp_path / "a.png")
    values = read_map(tmp_path / "a.png")
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, RAMP / 255, atol=1e-7)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_truncated_files_are_named(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    path = tmp_path / f"broken.{suffix}"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match=rf"broken\.{suffix} is damaged"):
        read_rgb(path)


def test_other_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(UserError, match=r"text\.jpg is not an image"):
        read_rgb(tmp_path / "text.jpg")
    with pytest.raises(UserError, match=r"gone\.png is missing"):
        read_map(tmp_path / "gone.png")
