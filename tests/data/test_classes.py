"""Class lists, and the label images that are read by them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.data import class_names, classes
from pipeline.data.agree import examine
from pipeline.data.classes import VOID, shrunk
from pipeline.data.dataset import read_classes
from pipeline.data.records import Record
from pipeline.errors import UserError

PUBLISHED = {
    "sample": 8, "camvid": 11, "cityscapes": 19, "voc": 21, "pascal_context": 60,
    "pascal_context59": 59, "ade20k": 150,
}  # fmt: skip
VOIDS = {
    "sample": {255}, "camvid": {11, 255}, "voc": {255}, "pascal_context": {255},
    "pascal_context59": {0, 255}, "ade20k": {0, 255},
    "cityscapes": {*range(7), 9, 10, 14, 15, 16, 18, 29, 30, 255},
}  # fmt: skip
few = settings(max_examples=40)


def label_image(path: Path, ids: list[list[int]], mode: str = "L") -> Path:
    kinds = {"L": np.uint8, "P": np.uint8, "I;16": np.uint16, "I": np.int32}
    image = Image.fromarray(np.array(ids, kinds[mode]))
    if mode == "P":
        image.putpalette([3 * i % 256 for i in range(768)])
    image.save(path)
    return path


def test_every_list_is_known_by_its_published_number_of_classes() -> None:
    assert classes.names() == sorted(PUBLISHED)
    assert {name: len(classes.get(name)) for name in PUBLISHED} == PUBLISHED
    assert class_names.COUNTS == PUBLISHED


@pytest.mark.parametrize("name", PUBLISHED)
def test_names_and_colours_tell_classes_apart(name: str) -> None:
    found = classes.get(name)
    assert len(set(found.classes)) == len(found)
    assert all(label and label == label.strip() for label in found.classes)
    assert found.colours.shape == (len(found), 3)
    assert len({tuple(colour) for colour in found.colours.tolist()}) == len(found)


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_class_has_one_id_and_the_rest_is_void(name: str) -> None:
    found = classes.get(name)
    used = [stored for stored, index in found.stored.items() if index != VOID]
    assert [found.stored[stored] for stored in sorted(used)] == list(range(len(found)))
    assert set(found.stored) - set(used) == VOIDS[name]


@pytest.mark.parametrize(
    ("name", "ids", "indices"),
    [
        ("camvid", [0, 10, 11, 255], [0, 10, VOID, VOID]),
        ("cityscapes", [7, 8, 6, 33, 29, 11], [0, 1, VOID, 18, VOID, 2]),
        ("voc", [0, 20, 255, 1], [0, 20, VOID, 1]),
        ("pascal_context", [0, 1, 59], [0, 1, 59]),
        ("pascal_context59", [0, 1, 59], [VOID, 0, 58]),
        ("ade20k", [0, 1, 150], [VOID, 0, 149]),
    ],
)
def test_ids_become_the_places_of_outputs(
    tmp_path: Path, name: str, ids: list[int], indices: list[int]
) -> None:
    found = classes.get(name).indices(label_image(tmp_path / "a.png", [ids]))
    assert found.dtype == np.uint8
    assert found.tolist() == [indices]


@pytest.mark.parametrize(("mode", "suffix"), [("P", "png"), ("I;16", "png"), ("I", "tif")])
def test_ids_are_read_as_stored_whatever_the_mode(tmp_path: Path, mode: str, suffix: str) -> None:
    path = label_image(tmp_path / f"a.{suffix}", [[0, 15, 255], [20, 1, 2]], mode)
    with Image.open(path) as image:
        assert image.mode == mode
    assert classes.get("voc").indices(path).tolist() == [[0, 15, VOID], [20, 1, 2]]


@pytest.mark.parametrize(
    ("ids", "mode", "suffix", "named"),
    [
        ([[0, 21], [97, 21]], "L", "png", "21, 97"),
        ([[0, 300]], "I;16", "png", "300"),
        ([[0, 70_000]], "I", "tif", "70000"),
        ([[0, -1]], "I", "tif", "-1"),
        ([[0, 255 - 65_536]], "I", "tif", "-65281"),
    ],
)
def test_an_id_outside_the_list_is_named_with_its_file(
    tmp_path: Path, ids: list[list[int]], mode: str, suffix: str, named: str
) -> None:
    path = label_image(tmp_path / f"odd.{suffix}", ids, mode)
    with pytest.raises(
        UserError, match=rf"odd.{suffix} holds class ids {named}, .*'voc' \(0 to 20"
    ):
        classes.get("voc").indices(path)


def test_a_colour_picture_is_no_label_image(tmp_path: Path) -> None:
    Image.new("RGB", (3, 2)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"a\.png is a picture in colour \(RGB\)"):
        classes.get("voc").indices(tmp_path / "a.png")


def test_an_unknown_list_is_named_with_those_there_are() -> None:
    with pytest.raises(UserError, match="no class list is called 'coco'; known: ade20k, camvid"):
        classes.get("coco")


def record(folder: Path, ids: list[list[int]], list_name: str | None = "voc") -> Record:
    Image.new("RGB", (6, 4)).save(folder / "a.jpg")
    label = label_image(folder / "a.png", ids)
    return Record("a", folder / "a.jpg", labels=label, classes=list_name)


def test_a_look_at_a_sound_record_finds_nothing(tmp_path: Path) -> None:
    found = examine(record(tmp_path, [[1] * 6] * 4))
    assert (found.faults, found.remarks) == ([], [])


def test_what_is_void_only_is_a_remark(tmp_path: Path) -> None:
    found = examine(record(tmp_path, [[VOID] * 6] * 4))
    assert found.faults == []
    assert found.remarks == [f"{tmp_path / 'a.png'} is void only: nothing in it counts"]


def test_a_label_image_of_another_shape_is_a_fault(tmp_path: Path) -> None:
    odd = record(tmp_path, [[1] * 4] * 6)
    (fault,) = examine(odd).faults
    assert "a.png is 6x4 (height x width), but its image" in fault
    with pytest.raises(UserError, match="of another shape"):
        read_classes(odd, (4, 6))


def test_foreign_ids_are_a_fault(tmp_path: Path) -> None:
    (fault,) = examine(record(tmp_path, [[30] * 6] * 4)).faults
    assert "a.png holds class ids 30" in fault


def test_labels_without_a_list_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\.png needs a class list; set data\.classes"):
        read_classes(record(tmp_path, [[1] * 6] * 4, None), (4, 6))


def nearest(new: int, old: int) -> list[int]:
    """Of each new pixel the one its centre lies in; on an edge, the one behind it."""
    return [
        next(j for j in range(old) if (2 * i + 1) * old < 2 * new * (j + 1)) for i in range(new)
    ]


SIDE = st.integers(1, 24)


@few
@given(SIDE, SIDE, SIDE, SIDE)
def test_shrunk_takes_the_pixel_that_each_centre_lies_in(
    height: int, width: int, rows: int, columns: int
) -> None:
    indices = np.arange(height * width, dtype=np.uint16).reshape(height, width)
    found = shrunk(indices, rows, columns)
    expected = [[indices[y, x] for x in nearest(columns, width)] for y in nearest(rows, height)]
    assert found.dtype == indices.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("odd", [3, 5, 7, 9])
def test_shrunk_by_an_odd_number_takes_the_middle(odd: int) -> None:
    assert shrunk(np.arange(10 * odd)[None], 1, 10).tolist() == [
        list(range(odd // 2, 10 * odd, odd))
    ]
