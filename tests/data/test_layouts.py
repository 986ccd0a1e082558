"""Each layout lists what lies on disk, and says what it expected where that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.data import layouts
from pipeline.errors import UserError
from tests.data import trees


def ids(records: list[layouts.Record]) -> list[str]:
    return [record.id for record in records]


def test_salicon(tmp_path: Path) -> None:
    trees.salicon(tmp_path, "val", 3)
    records = layouts.scan("salicon", tmp_path, "val")
    assert ids(records) == ["val_000", "val_001", "val_002"]
    assert records[1] == layouts.Record(
        "val_001",
        tmp_path / "images/val/val_001.jpg",
        tmp_path / "maps/val/val_001.png",
        tmp_path / "fixations/val/val_001.mat",
    )


def test_salicon_test_images_have_no_annotations(tmp_path: Path) -> None:
    trees.salicon(tmp_path, "test", 2)
    records = layouts.scan("salicon", tmp_path, "test")
    assert [(r.map, r.fixations) for r in records] == [(None, None)] * 2


def test_salicon_trains_without_fixations_but_does_not_validate(tmp_path: Path) -> None:
    for split in ("train", "val"):
        trees.salicon(tmp_path, split, 1)
        (tmp_path / "fixations" / split / f"{split}_000.mat").unlink()
        (tmp_path / "fixations" / split).rmdir()
    assert layouts.scan("salicon", tmp_path, "train")[0].fixations is None
    with pytest.raises(
        UserError, match="fixations/val, where the fixation files should be, is missing"
    ):
        layouts.scan("salicon", tmp_path, "val")


@pytest.mark.parametrize(("folder", "suffix"), [("maps", "png"), ("fixations", "mat")])
def test_a_missing_annotation_is_named(tmp_path: Path, folder: str, suffix: str) -> None:
    trees.salicon(tmp_path, "train", 2)
    (tmp_path / folder / "train" / f"train_001.{suffix}").unlink()
    with pytest.raises(UserError, match=r"for .*train_001\.jpg"):
        layouts.scan("salicon", tmp_path, "train")


def test_coco_takes_what_its_annotations_list(tmp_path: Path) -> None:
    trees.coco(tmp_path, "train2017", 2)
    trees.picture(tmp_path / "train2017" / "stray.jpg", 7)
    records = layouts.scan("coco", tmp_path, "train2017")
    assert ids(records) == ["000000000100", "000000000101"]
    (tmp_path / "train2017" / "000000000101.jpg").unlink()
    with pytest.raises(UserError, match=r"000000000101\.jpg is listed but missing"):
        layouts.scan("coco", tmp_path, "train2017")


def test_coco_without_annotations_takes_the_folder(tmp_path: Path) -> None:
    trees.coco(tmp_path, "unlabeled2017", 2, listed=False)
    assert len(layouts.scan("coco", tmp_path, "unlabeled2017")) == 2


def test_coco_refuses_another_json(tmp_path: Path) -> None:
    trees.coco(tmp_path, "train2017", 1)
    (tmp_path / "annotations/instances_train2017.json").write_text('{"pictures": []}')
    with pytest.raises(UserError, match="no COCO annotation file"):
        layouts.scan("coco", tmp_path, "train2017")


def test_folder_goes_all_the_way_down(tmp_path: Path) -> None:
    for number, name in enumerate(["b.PNG", "deep/er/a.jpg", "deep/a.jpg"]):
        trees.picture(tmp_path / name, number)
    (tmp_path / "notes.txt").write_text("no picture")
    assert ids(layouts.scan("folder", tmp_path, ".")) == ["b.PNG", "deep/a.jpg", "deep/er/a.jpg"]
    assert ids(layouts.scan("folder", tmp_path, "deep")) == ["deep/a.jpg", "deep/er/a.jpg"]


def test_pairs(tmp_path: Path) -> None:
    trees.salicon(tmp_path, "train", 2)
    records = layouts.scan("pairs", tmp_path, "train")
    assert [r.map.stem for r in records if r.map] == ids(records)
    assert all(r.fixations is None for r in records)


def test_ids_are_unique(tmp_path: Path) -> None:
    trees.salicon(tmp_path, "test", 1)
    trees.picture(tmp_path / "images/test/test_000.png", 5)
    with pytest.raises(UserError, match=r"split test.*: 2 images have the id 'test_000'"):
        layouts.scan("salicon", tmp_path, "test")


def test_a_wrong_root_is_told_the_right_one(tmp_path: Path) -> None:
    trees.salicon(tmp_path / "set", "train", 1)
    with pytest.raises(UserError, match=rf"layout salicon is .* it is in {tmp_path}/set: give"):
        layouts.scan("salicon", tmp_path, "train")
    with pytest.raises(UserError, match=rf"it is in {tmp_path}/set: give"):
        layouts.scan("salicon", tmp_path / "set" / "images", "train")


def test_missing_empty_and_unknown(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="fovea data add"):
        layouts.scan("salicon", tmp_path / "gone", "train")
    with pytest.raises(UserError, match="did you mean 'salicon'"):
        layouts.scan("salcon", tmp_path, "train")
    (tmp_path / "images" / "train").mkdir(parents=True)
    with pytest.raises(UserError, match="no image in"):
        layouts.scan("pairs", tmp_path, "train")
    with pytest.raises(UserError, match="no image"):
        layouts.scan("folder", tmp_path, ".")


def test_names_are_registered_once() -> None:
    assert {"salicon", "coco", "folder", "pairs"} <= set(layouts.names())
    with pytest.raises(ValueError, match="registered twice"):
        layouts.layout("salicon")(layouts.salicon)


def test_a_root_in_another_layout_is_recognised(tmp_path: Path) -> None:
    trees.coco(tmp_path / "coco", "train2017", 1)
    trees.salicon(tmp_path / "salicon", "train", 1)
    trees.picture(tmp_path / "photos/holiday/a.jpg", 1)
    cases = [
        (
            "salicon",
            "coco",
            "train",
            r"no folder images/train .*as layout coco does \(splits train2",
        ),
        (
            "coco",
            "salicon",
            "train2017",
            r"no folder train2017 .*as layout salicon does \(splits tr",
        ),
        ("pairs", "photos", "train", r"no folder images/train .* with the same names$"),
        ("coco", "photos", "train2017", r"no folder train2017 .*as layout folder does \(splits \."),
        ("folder", "photos", "work", r"no folder work .*; its splits are \."),
    ]
    for layout, root, split, message in cases:
        with pytest.raises(UserError, match=message):
            layouts.scan(layout, tmp_path / root, split)


def test_a_split_that_is_not_there_is_told_those_that_are(tmp_path: Path) -> None:
    trees.salicon(tmp_path, "train", 1)
    trees.salicon(tmp_path, "val", 1)
    with pytest.raises(UserError, match=r"no folder images/trian .*; its splits are train, val"):
        layouts.scan("salicon", tmp_path, "trian")


@pytest.mark.parametrize("layout", ["salicon", "pairs", "coco", "folder"])
def test_a_root_that_is_a_file_or_empty_is_refused(tmp_path: Path, layout: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        UserError, match=r"empty is empty; fill it, or give another: fovea data add"
    ):
        layouts.scan(layout, tmp_path / "empty", "train")
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="is a file, not a folder; register it: fovea data add"):
        layouts.scan(layout, tmp_path / "file", "train")


def test_many_missing_annotations_are_counted(tmp_path: Path) -> None:
    trees.salicon(tmp_path, "train", 4)
    for number in (1, 2):
        (tmp_path / f"maps/train/train_00{number}.png").unlink()
    with pytest.raises(UserError, match=r"train_001\.jpg .* \(2 such problems: fovea data check"):
        layouts.scan("salicon", tmp_path, "train")
