"""Layouts of data sets with a class for every pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.data import layouts
from pipeline.data.sample import generate
from pipeline.data.survey import survey
from pipeline.errors import UserError


def write(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((8, 10), np.uint8)).save(path)


def camvid(root: Path) -> None:
    for split, names in (("train", "ab"), ("val", "c")):
        for name in names:
            write(root / split / f"{name}.png", root / f"{split}annot" / f"{name}.png")


def ade20k(root: Path) -> None:
    for split, names in (("training", "ab"), ("validation", "c")):
        for name in names:
            marks = root / "annotations" / split / f"{name}.png"
            write(root / "images" / split / f"{name}.jpg", marks)


def cityscapes(root: Path) -> None:
    for split, city, names in (
        ("train", "ulm", "a"),
        ("train", "bonn", "b"),
        ("val", "koeln", "c"),
    ):
        for name in names:
            write(root / "leftImg8bit" / split / city / f"{city}_{name}_leftImg8bit.png")
            for kind in ("labelIds", "instanceIds", "color"):
                write(root / "gtFine" / split / city / f"{city}_{name}_gtFine_{kind}.png")


def listed(root: Path, lists: str, marks: str, splits: dict[str, str]) -> None:
    folder = root / "ImageSets" / lists
    folder.mkdir(parents=True, exist_ok=True)
    for split, names in splits.items():
        (folder / f"{split}.txt").write_text("".join(f"{name}\n" for name in names))
        for name in names:
            write(root / "JPEGImages" / f"{name}.jpg", root / marks / f"{name}.png")


def voc(root: Path) -> None:
    listed(root, "Segmentation", "SegmentationClass", {"train": "ab", "val": "c"})
    write(root / "JPEGImages/nobody.jpg")


def context(root: Path) -> None:
    lists, marks = "SegmentationContext", "SegmentationClassContext"
    listed(root, lists, marks, {"train": "ab", "val": "c"})


TREES = {
    "camvid": (camvid, "train", "train/a.png", "trainannot/a.png"),
    "ade20k": (ade20k, "training", "images/training/a.jpg", "annotations/training/a.png"),
    "voc": (voc, "train", "JPEGImages/a.jpg", "SegmentationClass/a.png"),
    "pascal_context": (context, "train", "JPEGImages/a.jpg", "SegmentationClassContext/a.png"),
}


@pytest.mark.parametrize("name", TREES)
def test_images_come_with_their_label_images(tmp_path: Path, name: str) -> None:
    make, split, image, marks = TREES[name]
    make(tmp_path)
    records = layouts.scan(name, tmp_path, split)
    assert [r.id for r in records] == ["a", "b"]
    assert (records[0].image, records[0].labels) == (tmp_path / image, tmp_path / marks)
    assert all(r.map is None and r.fixations is None and not r.has_truth for r in records)


def test_cityscapes_has_a_folder_for_each_city(tmp_path: Path) -> None:
    cityscapes(tmp_path)
    records = layouts.scan("cityscapes", tmp_path, "train")
    assert [r.id for r in records] == ["bonn_b", "ulm_a"]
    marks = tmp_path / "gtFine/train/bonn/bonn_b_gtFine_labelIds.png"
    assert records[0].labels == marks
    assert [r.id for r in layouts.scan("cityscapes", tmp_path, "train+val")][1] == "koeln_c"


def test_the_augmented_list_of_voc_has_a_folder_of_its_own(tmp_path: Path) -> None:
    voc(tmp_path)
    listed(tmp_path, "Segmentation", "SegmentationClassAug", {"trainaug": "abd"})
    records = layouts.scan("voc", tmp_path, "trainaug")
    assert [r.labels for r in records] == [
        tmp_path / "SegmentationClassAug" / f"{name}.png" for name in "abd"
    ]
    plain = layouts.scan("voc", tmp_path, "train")
    assert [r.labels.parent.name for r in plain if r.labels] == ["SegmentationClass"] * 2


@pytest.mark.parametrize(
    ("name", "make", "folder"),
    [("voc", voc, "Segmentation"), ("pascal_context", context, "SegmentationContext")],
)
def test_a_split_list_that_is_missing_is_named_with_those_there(
    tmp_path: Path, name: str, make, folder: str
) -> None:
    make(tmp_path)
    match = rf"ImageSets/{folder}/trainval\.txt is missing.*lists there: train, val; layout {name}"
    with pytest.raises(UserError, match=match):
        layouts.scan(name, tmp_path, "trainval")


def test_where_no_list_is_at_all_that_is_said(tmp_path: Path) -> None:
    write(tmp_path / "JPEGImages/a.jpg")
    with pytest.raises(UserError, match="lists there: none; layout voc is JPEGImages/ with"):
        layouts.scan("voc", tmp_path, "train")


def test_an_empty_list_is_named(tmp_path: Path) -> None:
    voc(tmp_path)
    (tmp_path / "ImageSets/Segmentation/train.txt").write_text("\n")
    with pytest.raises(UserError, match=r"train\.txt is empty; restore it"):
        layouts.scan("voc", tmp_path, "train")


@pytest.mark.parametrize("name", TREES)
def test_a_label_image_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    make, split, image, marks = TREES[name]
    make(tmp_path)
    (tmp_path / marks).unlink()
    parent = (tmp_path / marks).parent
    with pytest.raises(UserError, match=rf"no label image for {tmp_path / image} in {parent}"):
        layouts.scan(name, tmp_path, split)


def test_a_city_without_label_images_is_named(tmp_path: Path) -> None:
    cityscapes(tmp_path)
    for path in (tmp_path / "gtFine/train/bonn").iterdir():
        path.unlink()
    with pytest.raises(UserError, match="gtFine/train/bonn, where the label images should be, is"):
        layouts.scan("cityscapes", tmp_path, "train")


def test_an_image_that_a_list_names_must_be_there(tmp_path: Path) -> None:
    voc(tmp_path)
    (tmp_path / "JPEGImages/b.jpg").unlink()
    with pytest.raises(UserError, match=r"image .*b\.jpg is listed but missing; restore it"):
        layouts.scan("voc", tmp_path, "train")


@pytest.mark.parametrize(
    ("name", "make", "splits"),
    [("ade20k", ade20k, "training, validation"), ("cityscapes", cityscapes, "train, val")],
)
def test_another_split_is_refused_with_those_there_are(
    tmp_path: Path, name: str, make, splits: str
) -> None:
    make(tmp_path)
    with pytest.raises(UserError, match=f"has no split 'test'; it has {splits}"):
        layouts.scan(name, tmp_path, "test")


@pytest.mark.parametrize(
    ("name", "make", "splits"),
    [
        ("camvid", camvid, ["train", "val"]),
        ("ade20k", ade20k, ["training", "validation"]),
        ("cityscapes", cityscapes, ["train", "val"]),
        ("voc", voc, ["train", "val"]),
        ("pascal_context", context, ["train", "val"]),
    ],
)
def test_a_root_is_recognised(tmp_path: Path, name: str, make, splits: list[str]) -> None:
    make(tmp_path)
    fits = layouts.fitting(tmp_path)
    assert fits[name] == splits
    assert next(iter(fits)) == name, "before the layouts that fit any folder of images"


def test_a_list_whose_label_images_are_not_there_is_no_split(tmp_path: Path) -> None:
    voc(tmp_path)
    (tmp_path / "ImageSets/Segmentation/trainaug.txt").write_text("a\nb\n")
    assert layouts.fitting(tmp_path)["voc"] == ["train", "val"]
    with pytest.raises(UserError, match="SegmentationClassAug, where the label images should be"):
        layouts.scan("voc", tmp_path, "trainaug")


def test_a_look_at_the_root_counts_its_splits(tmp_path: Path) -> None:
    camvid(tmp_path)
    found = survey(tmp_path)
    assert (found.layout, found.splits, found.problems) == ("camvid", {"train": 2, "val": 1}, [])


def test_the_sample_has_a_class_for_every_pixel_of_its_own_scenes(tmp_path: Path) -> None:
    generate(tmp_path, train=2, val=1, pool=0, processes=1)
    for split, count in (("train", 2), ("val", 1)):
        records = layouts.scan("camvid", tmp_path / "semantic", split)
        assert len(records) == count
        for record in records:
            twin = tmp_path / "salicon/images" / split / record.image.name
            assert record.image.read_bytes() == twin.read_bytes()
            marks = np.asarray(Image.open(record.labels))
            assert marks.shape == (480, 640)
            assert 1 < len(np.unique(marks)) <= 8
            assert marks.max() < 8
