"""Files strung together, cut into parts and taken apart again; copies shrunk but not too far."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.data.images import read_map, read_rgb
from pipeline.data.resize import resize
from pipeline.errors import UserError
from scripts.elsewhere.payload import Writer, extract, join, split
from scripts.elsewhere.shrink import image_bytes, map_bytes, smaller_size

MODEL = (192, 256)


@pytest.mark.parametrize("part", [1, 7, 1000, 10**6])
def test_any_cut_gives_every_file_back(tmp_path: Path, part: int) -> None:
    content = {"a": b"", "b": b"x" * 5000, "c": np.random.default_rng(0).bytes(900)}
    stream = io.BytesIO()
    writer = Writer(stream, 10**6)
    for name, data in content.items():
        (tmp_path / name).write_bytes(data)
        assert writer.add([(name, tmp_path / name)])
    parts = split(stream, tmp_path, part)
    assert all(p.bytes <= part for p in parts)
    joined = io.BytesIO()
    join(tmp_path, parts, joined)
    for stored in writer.files:
        extract(joined, stored, tmp_path / "out" / stored.path)
        assert (tmp_path / "out" / stored.path).read_bytes() == content[stored.path]


def test_a_group_goes_in_whole_or_not_at_all(tmp_path: Path) -> None:
    for index in range(3):
        data = np.random.default_rng(index).bytes(1000)
        (tmp_path / str(index)).write_bytes(data)
    writer = Writer(stream := io.BytesIO(), 2500)
    assert writer.add([("0", tmp_path / "0")])
    end = stream.tell()
    assert not writer.add([("1", tmp_path / "1"), ("2", tmp_path / "2")])
    assert stream.tell() == end
    assert [file.path for file in writer.files] == ["0"]


def test_content_that_is_not_as_indexed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"some weights")
    writer = Writer(stream := io.BytesIO(), 1000)
    writer.add([("a", tmp_path / "a")])
    damaged = io.BytesIO(stream.getvalue()[:-1] + b"?")
    with pytest.raises(UserError, match="a does not come out as it was packed"):
        extract(damaged, writer.files[0], tmp_path / "b")


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((480, 640), (240, 320)),
        ((480, 480), (320, 320)),  # the width needs 320
        ((240, 320), None),
        ((200, 5000), None),
    ],
)
def test_both_sides_keep_a_quarter_more_than_the_model_takes(
    size: tuple[int, int], expected: tuple[int, int] | None
) -> None:
    assert smaller_size(size, MODEL) == expected


def test_a_shrunk_image_shows_the_model_nearly_the_same(salicon: Path, tmp_path: Path) -> None:
    path = next((salicon / "images/train").iterdir())
    (tmp_path / "copy.jpg").write_bytes(image_bytes(path, MODEL))
    before = resize(read_rgb(path), *MODEL)
    after = resize(read_rgb(tmp_path / "copy.jpg"), *MODEL)
    assert (tmp_path / "copy.jpg").stat().st_size < path.stat().st_size
    assert np.abs(before - after).mean() < 1.5  # of 255 levels
    place = next((salicon / "maps/train").iterdir())
    (tmp_path / "copy.png").write_bytes(map_bytes(place, MODEL))
    difference = resize(read_map(place), *MODEL) - resize(read_map(tmp_path / "copy.png"), *MODEL)
    assert np.abs(difference).max() < 0.02


@pytest.mark.parametrize(("suffix", "kind"), [("png", "PNG"), ("webp", "WEBP"), ("bmp", "PNG")])
def test_a_copy_keeps_its_name(tmp_path: Path, suffix: str, kind: str) -> None:
    path = tmp_path / f"a.{suffix}"
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    copy = tmp_path / f"b.{suffix}"
    copy.write_bytes(image_bytes(path, MODEL))
    assert Image.open(copy).format == kind
    assert read_rgb(copy).shape == (240, 320, 3)


def test_a_small_image_is_packed_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (300, 200), "red").save(path)
    assert image_bytes(path, MODEL) == path.read_bytes()
