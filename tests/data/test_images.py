"""Every kind of image file is read as a person sees it, or refused by name."""

from __future__ import annotations

import contextlib
import io
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.data.images import decode_rgb, read_map, read_rgb, read_size, verify
from pipeline.errors import UserError
from tests.conftest import ROOT

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


def test_cmyk_is_ink_taken_from_white(tmp_path: Path) -> None:
    inks = np.dstack([COLOURS, RAMP // 4])
    Image.fromarray(inks, "CMYK").save(tmp_path / "a.tif")
    expected = np.clip(255 - COLOURS.astype(int), 0, None) * (255 - RAMP[:, :, None] // 4) / 255
    np.testing.assert_allclose(read_rgb(tmp_path / "a.tif"), expected, atol=1)


def test_sixteen_bits_are_scaled_not_cut(tmp_path: Path) -> None:
    """256 levels of a 16-bit file are one level of 8 bits, not the whole range."""
    Image.fromarray(np.array([[0, 255, 32768, 65535]], dtype=np.uint16)).save(tmp_path / "a.png")
    assert read_rgb(tmp_path / "a.png")[0, :, 0].tolist() == [0, 1, 128, 255]


def test_grey_with_alpha_lies_on_white(tmp_path: Path) -> None:
    Image.fromarray(np.dstack([RAMP, 255 - RAMP]), "LA").save(tmp_path / "a.png")
    expected = 255 + (RAMP.astype(float) - 255) * (255 - RAMP) / 255
    np.testing.assert_allclose(read_rgb(tmp_path / "a.png")[:, :, 2], expected, atol=1)


def test_real_numbers_of_an_unknown_range_are_refused(tmp_path: Path) -> None:
    Image.fromarray(RAMP.astype(np.float32) / 255).save(tmp_path / "a.tif")
    with pytest.raises(UserError, match=r"a\.tif holds real numbers .* save it with 8 or 16 bits"):
        read_map(tmp_path / "a.tif")


def test_damaged_exif_does_not_hide_the_pixels(tmp_path: Path) -> None:
    Image.fromarray(COLOURS).save(tmp_path / "a.png", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), COLOURS)
    assert read_size(tmp_path / "a.png") == COLOURS.shape[:2]


def test_what_lies_in_memory_is_read_alike(tmp_path: Path) -> None:
    Image.fromarray(COLOURS).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    np.testing.assert_array_equal(decode_rgb(data, "standard input"), COLOURS)
    with pytest.raises(UserError, match="standard input is damaged"):
        decode_rgb(data[:-60], "standard input")
    with pytest.raises(UserError, match="standard input is empty"):
        decode_rgb(b"", "standard input")


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "folder.jpg").mkdir()
    for name, message in (("empty", r"empty\.jpg is empty \(0"), ("folder", r"folder\.jpg is dam")):
        with pytest.raises(UserError, match=message):
            read_rgb(tmp_path / f"{name}.jpg")


def huge(path: Path, width: int, height: int) -> Path:
    """A PNG that claims a size and holds nothing of it."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    return path


@pytest.mark.parametrize("reader", [read_rgb, read_map, read_size, verify])
def test_an_absurd_size_is_refused_from_the_header(
    tmp_path: Path, reader: Callable[[Path], object]
) -> None:
    path = huge(tmp_path / "a.png", 30_000, 20_000)
    with pytest.raises(UserError, match=r"30000x20000 pixels \(600 million\); 500 million are the"):
        reader(path)


MEASURE = """
import resource, sys
from pathlib import Path
from pipeline.data.images import read_rgb
from pipeline.data.resize import resize
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
small = resize(read_rgb(Path(sys.argv[1])), 192, 256)
used = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
print(small.shape, float(small.min()), float(small.max()), used)
"""


def test_a_hundred_megapixels_take_nine_bytes_a_pixel(tmp_path: Path) -> None:
    Image.new("RGB", (10_000, 10_000), (200, 100, 50)).save(tmp_path / "a.jpg", quality=90)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", MEASURE, str(tmp_path / "a.jpg")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    shape, low, high, used = re.fullmatch(r"(\(.*\)) (\S+) (\S+) (\d+)\n", done.stdout).groups()
    assert shape == "(192, 256, 3)"
    assert (abs(float(low) - 50) < 2, abs(float(high) - 200) < 2) == (True, True)
    assert int(used) < 9 * 100_000_000


def test_large_pictures_are_read_in_bands_to_the_same_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = np.dstack([COLOURS, RAMP])
    Image.fromarray(layers).save(tmp_path / "a.png")
    Image.fromarray(RAMP.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    whole = [read_rgb(tmp_path / "a.png"), read_rgb(tmp_path / "deep.png")]
    grey = read_map(tmp_path / "deep.png")
    monkeypatch.setattr("pipeline.data.images._BAND_PIXELS", 50)
    for expected, name in zip(whole, ("a.png", "deep.png")):
        np.testing.assert_array_equal(read_rgb(tmp_path / name), expected)
    np.testing.assert_array_equal(read_map(tmp_path / "deep.png"), grey)


def test_only_files_without_their_end_are_decoded_to_be_sure(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 48, 3)).astype(np.uint8)
    for suffix in ("jpg", "png", "webp", "bmp"):
        path = tmp_path / f"a.{suffix}"
        Image.fromarray(noise).save(path)
        assert verify(path) == verify(path, decode=True) == (64, 48)
        path.write_bytes(path.read_bytes() + b"\0" * 12 + b"a camera's own trailer")
        assert verify(path) == (64, 48)
    for suffix in ("jpg", "png"):
        path = tmp_path / f"short.{suffix}"
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[:-300])
        with pytest.raises(UserError, match=rf"short\.{suffix} is damaged"):
            verify(path)


def encoded(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(COLOURS).save(stream, kind)
    return stream.getvalue()


KINDS = {kind: encoded(kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")}


@settings(max_examples=250)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    places=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6),
    cut=st.none() | st.integers(0, 10**6),
)
def test_damage_ends_in_pixels_or_a_plain_error(
    kind: str, places: list[tuple[int, int]], cut: int | None
) -> None:
    data = bytearray(KINDS[kind])
    for place, value in places:
        data[place % len(data)] = value
    if cut is not None:
        del data[cut % len(data) :]
    with contextlib.suppress(UserError):
        pixels = decode_rgb(bytes(data), "fuzzed")
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3
