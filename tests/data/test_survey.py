"""A look at a data set: which layout it is, how many images, and every file that is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.data.fixations import write_mat
from pipeline.data.layouts import Record, layout
from pipeline.data.sample import generate
from pipeline.data.survey import survey
from pipeline.errors import UserError
from tests.data import trees


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    trees.salicon(root, "train", 3)
    trees.salicon(root, "val", 2, first=20)
    return root


def test_a_sound_data_set_has_no_problems(photos: Path) -> None:
    seen: list[int] = []
    found = survey(photos, on_image=seen.append, decode=True)
    assert (found.layout, found.splits, found.problems) == ("salicon", {"train": 3, "val": 2}, [])
    assert sum(seen) == 5


def test_the_generated_sample_is_two_sound_data_sets(tmp_path: Path) -> None:
    generate(tmp_path, 0, train=2, val=1, pool=2, processes=1)
    found = survey(tmp_path / "salicon")
    assert (found.layout, found.splits, found.problems) == ("salicon", {"train": 2, "val": 1}, [])
    found = survey(tmp_path / "coco")
    assert found.layout == "coco"
    assert (found.splits, found.problems) == ({"train2017": 2, "val2017": 1}, [])


def test_layouts_are_recognised(photos: Path, tmp_path: Path) -> None:
    assert survey(photos).layout == "salicon"
    assert survey(photos / "images").layout == "folder"
    trees.coco(tmp_path / "coco", "train2017", 2, listed=False)
    assert survey(tmp_path / "coco").layout == "coco"
    trees.picture(tmp_path / "pairs/images/train/a.jpg", 1)
    trees.picture(tmp_path / "pairs/maps/train/a.png", 1, "L")
    assert survey(tmp_path / "pairs").layout == "pairs"


def test_another_layout_can_be_asked_for(photos: Path) -> None:
    assert survey(photos, "folder").splits == {".": 5 * 2}
    assert survey(photos, "pairs").splits == {"train": 3, "val": 2}
    with pytest.raises(UserError, match="it lies as layout salicon does: choose that"):
        survey(photos, "coco")
    with pytest.raises(UserError, match="did you mean 'salicon'"):
        survey(photos, "salicn")


def test_a_layout_of_ones_own_needs_no_list_of_splits(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.data.layouts.registry._LAYOUTS", {})

    @layout("mine")
    def mine(root: Path, split: str) -> list[Record]:
        return [Record(p.stem, p) for p in (root / split).rglob("*.jpg")]

    assert survey(photos, "mine").splits == {"images": 5}


PROBLEMS = [
    ("images/train/train_001.jpg", Path.unlink, None),
    ("maps/train/train_001.png", Path.unlink, r"no map for .*train_001\.jpg in .*maps/train; rest"),
    ("fixations/val/val_020.mat", Path.unlink, r"no fixation file for .*val_020\.jpg in"),
    ("images/train/train_001.jpg", lambda p: p.write_bytes(b""), r"train_001\.jpg is empty"),
    ("images/train/train_001.jpg", lambda p: p.write_text("hm"), r"train_001\.jpg is not an image"),
    (
        "images/train/train_001.jpg",
        lambda p: p.write_bytes(p.read_bytes()[:-200]),
        r"train_001\.jpg is damaged \(image file is truncated",
    ),
    (
        "maps/train/train_001.png",
        lambda p: p.write_bytes(p.read_bytes()[:-200]),
        r"train_001\.png is damaged",
    ),
    (
        "maps/train/train_001.png",
        lambda p: Image.new("L", (trees.WIDTH, trees.WIDTH)).save(p),
        r"train_001\.png is 32x32 .*train_001\.jpg is 24x32: of another shape",
    ),
    (
        "maps/train/train_001.png",
        lambda p: Image.new("L", (2 * trees.WIDTH, 2 * trees.HEIGHT)).save(p),
        r"train_001\.png is 48x64 .*train_001\.mat says 24x32; both must be of one size",
    ),
    ("fixations/val/val_020.mat", lambda p: p.write_bytes(b"MATLAB"), r"val_020\.mat is damaged"),
    (
        "fixations/val/val_020.mat",
        lambda p: write_mat(p, "x", trees.HEIGHT, trees.WIDTH, [np.array([[1, 1], [99, 1]])]),
        r"val_020\.mat: 1 of 2 fixations lie outside the image or are no numbers; left out",
    ),
    (
        "fixations/val/val_020.mat",
        lambda p: write_mat(p, "x", trees.HEIGHT, trees.WIDTH, []),
        r"val_020\.mat holds no fixation inside the image; NSS and AUC-Judd leave the image out",
    ),
]


@pytest.mark.parametrize(("name", "breakage", "message"), PROBLEMS)
def test_each_problem_is_one_line(
    photos: Path, name: str, breakage: Callable[[Path], object], message: str | None
) -> None:
    breakage(photos / name)
    problems = survey(photos).problems
    if message is None:
        assert problems == [], "an annotation without an image harms nobody"
        return
    assert len(problems) == 1
    assert "\n" not in problems[0]
    assert re.search(message, problems[0])


def test_missing_folders_are_one_line_each(photos: Path) -> None:
    for file in (photos / "maps/train").iterdir():
        file.unlink()
    found = survey(photos)
    assert found.splits == {"train": 3, "val": 2}
    assert len(found.problems) == 1
    assert "maps/train, where the maps should be, is missing or empty" in found.problems[0]


def test_annotations_under_other_names_are_one_line(photos: Path) -> None:
    for file in (photos / "maps/train").iterdir():
        file.rename(file.with_name(f"map_of_{file.name}"))
    problems = survey(photos).problems
    assert len(problems) == 1
    assert "none of the 3 images of" in problems[0]
    assert "there are train_000.jpg and map_of_train_000.png" in problems[0]


def test_damage_in_the_middle_shows_when_decoded(photos: Path) -> None:
    path = photos / "maps/train/train_001.png"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    assert survey(photos).problems == []
    problems = survey(photos, decode=True).problems
    assert len(problems) == 1
    assert "train_001.png is damaged" in problems[0]


def test_a_broken_index_is_a_problem_of_its_split(tmp_path: Path) -> None:
    trees.coco(tmp_path, "train2017", 2)
    trees.coco(tmp_path, "val2017", 1)
    (tmp_path / "annotations/instances_val2017.json").write_text(json.dumps({"pictures": []}))
    found = survey(tmp_path)
    assert found.splits == {"train2017": 2, "val2017": 0}
    assert "no COCO annotation file" in found.problems[0]


def test_what_is_no_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a folder"):
        survey(tmp_path / "gone")
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="is a file, not a folder"):
        survey(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="is empty"):
        survey(tmp_path / "empty")
    with pytest.raises(
        UserError, match=r"no known layout and holds no image\. Known are .*cat2000: trainSet"
    ):
        survey(tmp_path)
