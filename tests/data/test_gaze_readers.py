"""Fixations of every data set, from files as they are published."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat

from pipeline.data import gaze, layouts
from pipeline.data.dataset import ImageSet
from pipeline.data.evaluation import samples
from pipeline.data.fixations import Fixations
from pipeline.data.gaze.density import density
from pipeline.data.records import Record
from pipeline.errors import UserError
from tests.data import official
from tests.data.trees import HEIGHT, WIDTH


def pixels(found: Fixations) -> list[tuple[int, int]]:
    """x, y of every fixation."""
    return [(int(x), int(y)) for x, y in found.points]


# MIT1003


def jump(start: tuple[float, float], end: tuple[float, float]) -> np.ndarray:
    """A trace that rests, leaps and rests."""
    ease = (1 - np.cos(np.linspace(0, np.pi, 8)[1:-1])) / 2
    way = [np.array(start) + (np.array(end) - start) * part for part in ease]
    return np.array([start] * 60 + way + [end] * 60)


@pytest.fixture
def mit(tmp_path: Path) -> Path:
    root = tmp_path / "mit"
    official.mit1003(root, ["i1000978947", "i05june05_static_street_boston_p1010764"])
    for path in (root / "ALLSTIMULI").iterdir():
        Image.new("RGB", (400, 300)).save(path)
    for path in (root / "ALLFIXATIONMAPS").glob("*Map.jpg"):
        Image.new("L", (400, 300)).save(path)
    return root


def test_mit1003_leaves_the_first_fixation_out_and_counts_from_one(mit: Path) -> None:
    name = "i1000978947"
    ends = [(300.75, 200.5), (300.2, 200.9), (500.0, 20.0)]
    for viewer, end in zip(official.VIEWERS, ends, strict=True):
        official.eye(mit / "DATA" / viewer / f"{name}.mat", name, jump((20.0, 20.0), end))
    record = next(r for r in layouts.scan("mit1003", mit, "all") if r.id == name)
    found = gaze.read(record)
    assert (found.height, found.width) == (300, 400)
    assert pixels(found) == [(299, 199), (299, 199), (499, 19)]
    assert found.viewer.tolist() == [0, 1, 2]
    assert found.counts()[199, 299] == 2
    assert found.dropped == 1


def test_mit1003_names_a_file_of_another_image(mit: Path) -> None:
    record = layouts.scan("mit1003", mit, "all")[1]
    official.eye(record.others[0], "somewhere_else", jump((1.0, 1.0), (200.0, 200.0)))
    with pytest.raises(UserError, match=r"ajs/i1000978947\.mat has no i1000978947\.DATA\.eyeData "
                       r"\(found somewhere_else\)"):  # fmt: skip
        gaze.read(record)
    record.others[0].unlink()
    with pytest.raises(UserError, match=r"ajs/i1000978947\.mat is missing"):
        gaze.read(record)


def test_mit1003_finds_variables_whose_name_matlab_cut_short(tmp_path: Path) -> None:
    name = "i" * 70
    official.mit1003(tmp_path, [name])
    assert len(gaze.read(layouts.scan("mit1003", tmp_path, "all")[0]).points) == 0


def test_points_are_pixels_above_one_half(tmp_path: Path) -> None:
    official.mit1003(tmp_path, ["i1"], data=False)
    found = gaze.read(layouts.scan("mit1003_points", tmp_path, "all")[0])
    assert (found.height, found.width) == (HEIGHT, WIDTH)
    assert pixels(found) == [(3, 4), (20, 10)]


# CAT2000


def test_cat2000_takes_each_marked_pixel_once(tmp_path: Path) -> None:
    official.cat2000(tmp_path, ["Action"], 2)
    records = layouts.scan("cat2000", tmp_path, "train")
    assert pixels(gaze.read(records[1])) == [(5, 2), (7, 2)]
    assert records[1].fixations is not None
    savemat(records[1].fixations, {"fixationPts": np.zeros((2, 2))})
    with pytest.raises(UserError, match=r"no matrix 'fixLocs' \(found fixationPts\)"):
        gaze.read(records[1])


# OSIE


@pytest.fixture
def osie(tmp_path: Path) -> Path:
    first = [np.array([[1.0, 1.0], [400.4, 300.0]]), np.zeros((0, 2)), np.array([[900.0, 1.0]])]
    official.osie(tmp_path, {"1001.jpg": first, "1002.jpg": [np.array([[800.0, 600.0]])]})
    return tmp_path


def test_osie_reads_the_entry_of_the_image(osie: Path) -> None:
    records = layouts.scan("osie", osie, "all")
    assert [record.id for record in records] == ["1001", "1002"]
    found = gaze.read(records[0])
    np.testing.assert_allclose(found.points, [[0, 0], [399.4, 299], [899, 0]], rtol=1e-6)
    assert found.viewer.tolist() == [0, 0, 2]
    assert (found.height, found.width, found.dropped) == (600, 800, 1)
    assert pixels(gaze.read(records[1])) == [(799, 599)]


def test_osie_names_an_image_without_an_entry_and_one_with_two(osie: Path) -> None:
    Image.new("RGB", (800, 600)).save(osie / "data/stimuli/1003.jpg")
    with pytest.raises(UserError, match=r"fixations\.mat has no fixations of 1003\.jpg"):
        gaze.read(layouts.scan("osie", osie, "all")[2])
    twice = np.empty((2, 1), object)
    for row in range(2):
        twice[row, 0] = {"img": "1001.jpg", "subjects": np.empty((0, 0), object)}
    savemat(osie / "data/eye/fixations.mat", {"fixations": twice})
    with pytest.raises(UserError, match=r"fixations\.mat has two entries for 1001\.jpg"):
        gaze.read(layouts.scan("osie", osie, "all")[0])


def test_maps_are_made_of_fixations_where_there_are_none(osie: Path) -> None:
    records = layouts.scan("osie", osie, "all")[1:]
    (item,) = list(ImageSet(records, 60, 80))
    assert item["truth"].shape == (1, 60, 80)
    (sample,) = list(samples(records, 60, 80))
    assert sample.counts is not None
    assert sample.density is not None
    assert sample.counts.sum() == 1
    assert sample.density.shape == (600, 800)
    assert sample.density.argmax() == sample.counts.argmax() == 600 * 800 - 1
    # One degree, 24 pixels, from the only fixation.
    assert sample.density[599, 799 - 24] == pytest.approx(np.exp(-0.5), abs=2e-3)


def test_density_is_a_sum_of_gaussians() -> None:
    points = np.array([[3, 4], [3, 4], [20, 10]], np.float32)
    watched = Fixations(points, np.zeros(3, np.int64), HEIGHT, WIDTH)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    slow = sum(np.exp(-((x - a) ** 2 + (y - b) ** 2) / 8) for a, b in [(3, 4), (20, 10)])
    np.testing.assert_allclose(density(watched, 2.0), slow / slow.max(), atol=1e-3)
    nobody = Fixations(np.zeros((0, 2), np.float32), np.zeros(0, np.int64), 4, 5)
    assert density(nobody, 2.0).tolist() == np.zeros((4, 5)).tolist()


# SALICON 2015


def test_salicon_json_holds_rows_and_columns_from_one(tmp_path: Path) -> None:
    name = "COCO_train2014_000000000101.jpg"
    official.salicon2015(tmp_path, "train", {name: [[[1, 1], [10, 30]], [[24, 32]], []]})
    (record,) = layouts.scan("salicon2015", tmp_path, "train")
    found = gaze.read(record)
    assert pixels(found) == [(0, 0), (29, 9), (31, 23)]
    assert found.viewer.tolist() == [0, 0, 1]
    assert (found.height, found.width, record.blur) == (HEIGHT, WIDTH, 19.0)


def test_salicon_json_in_columns_and_rows_is_refused(tmp_path: Path) -> None:
    official.salicon2015(tmp_path, "val", {"a.jpg": [[[30, 10], [2, 3]]]})
    with pytest.raises(UserError, match=r"holds \[column, row\] for a\.jpg"):
        gaze.read(layouts.scan("salicon2015", tmp_path, "val")[0])


def test_salicon_json_names_what_is_wrong(tmp_path: Path) -> None:
    path = official.salicon2015(tmp_path, "val", {"a.jpg": [[[1, 2]]]})
    record = layouts.scan("salicon2015", tmp_path, "val")[0]
    whole = path.read_text()
    for broken, message in [
        (whole.replace("a.jpg", "b.jpg"), r"has no image a\.jpg"),
        (whole.replace("[[1, 2]]", "[[1, 2, 3]]"), r"has no 'fixations' \[row, column\]"),
        (whole.replace("[[1, 2]]", '"none"'), "are no numbers"),
        (whole.replace('"fixations": [[1', '"fixation": [[1'), r"has no 'fixations'"),
        (whole.replace("[[1, 2]]", "[[1, 2"), "broken annotation"),
        (whole.replace('"height": 24', '"height": -24'), "size of -24x32"),
        (whole.replace('"height": 24', '"hight": 24'), "broken image entry"),
        (json.dumps({"images": []}), "lists no image"),
        ("", "is empty"),
    ]:
        path.write_text(broken)
        with pytest.raises(UserError, match=message):
            gaze.read(record)


def test_salicon_json_with_an_image_listed_twice_is_refused(tmp_path: Path) -> None:
    path = official.salicon2015(tmp_path, "val", {"a.jpg": [[[1, 2]]], "b.jpg": []})
    path.write_text(path.read_text().replace("b.jpg", "a.jpg"))
    with pytest.raises(UserError, match=r"fixations_val2014\.json lists a\.jpg twice"):
        gaze.read(layouts.scan("salicon2015", tmp_path, "val")[0])


# Any bytes


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Record]:
    """A record of each reader whose files are sound."""
    root = tmp_path_factory.mktemp("sound")
    official.mit1003(root / "mit", ["i1"])
    official.cat2000(root / "cat", ["Art"], 1)
    official.osie(root / "osie", {"1001.jpg": [np.array([[1.0, 2.0]])]})
    official.salicon2015(root / "json", "val", {"a.jpg": [[[1, 2]]]})
    return {
        "mit1003": layouts.scan("mit1003", root / "mit", "all")[0],
        "points": layouts.scan("mit1003_points", root / "mit", "all")[0],
        "cat2000": layouts.scan("cat2000", root / "cat", "train")[0],
        "osie": layouts.scan("osie", root / "osie", "all")[0],
        "salicon_json": layouts.scan("salicon2015", root / "json", "val")[0],
    }


def attempt(record: Record) -> Fixations | str:
    """The fixations of a record, or what is said when they cannot be read."""
    try:
        return gaze.read(record)
    except UserError as error:
        return str(error)


@pytest.mark.parametrize("name", ["mit1003", "points", "cat2000", "osie", "salicon_json"])
@settings(max_examples=40)
@given(place=st.floats(0, 1, exclude_max=True), cut=st.booleans(), bits=st.integers(1, 255))
def test_damage_is_a_refusal_in_one_line_or_other_fixations(
    sound: dict[str, Record], name: str, place: float, cut: bool, bits: int
) -> None:
    record = sound[name]
    assert record.fixations is not None
    whole = record.fixations.read_bytes()
    at = int(place * len(whole))
    changed = whole[:at] if cut else whole[:at] + bytes([whole[at] ^ bits]) + whole[at + 1 :]
    record.fixations.write_bytes(changed)
    found = attempt(record)
    record.fixations.write_bytes(whole)
    if isinstance(found, str):
        assert "\n" not in found
        assert record.fixations.name in found
    else:
        assert found.counts().shape == (found.height, found.width)
