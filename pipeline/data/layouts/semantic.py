"""Images with a class for every pixel: CamVid, Cityscapes, Pascal VOC and Context, ADE20K."""

from __future__ import annotations

from pathlib import Path

from pipeline.data.images import SUFFIXES
from pipeline.data.layouts.listing import by_stem, folder, holds_images, images, require_split
from pipeline.data.layouts.registry import get, layout
from pipeline.data.records import Record
from pipeline.errors import UserError

MARKS = "annot"
"""What CamVid's folders of label images add to the name of their split."""


def _camvid_splits(root: Path) -> list[str]:
    return sorted(
        p.name
        for p in root.iterdir()
        if holds_images(p) and holds_images(root / f"{p.name}{MARKS}")
    )


@layout("camvid", _camvid_splits, general=1)
def camvid(root: Path, split: str) -> list[Record]:
    """SPLIT/*.jpg or *.png and SPLITannot/*.png of the same names, as SegNet published CamVid."""
    return _paired(images(root, split, "camvid"), root / f"{split}{MARKS}")


ADE = ("training", "validation")


def _ade_splits(root: Path) -> list[str]:
    return [s for s in ADE if holds_images(root / "annotations" / s)]


@layout("ade20k", _ade_splits)
def ade20k(root: Path, split: str) -> list[Record]:
    """images/SPLIT/*.jpg and annotations/SPLIT/*.png, SPLIT being training or validation."""
    require_split(split, ADE, "ade20k")
    return _paired(images(root, f"images/{split}", "ade20k"), root / "annotations" / split)


CITYSCAPES = ("train", "val")


def _cityscapes_splits(root: Path) -> list[str]:
    return [s for s in CITYSCAPES if (root / "leftImg8bit" / s).is_dir()]


@layout("cityscapes", _cityscapes_splits)
def cityscapes(root: Path, split: str) -> list[Record]:
    """leftImg8bit/SPLIT/CITY/*_leftImg8bit.png and gtFine/SPLIT/CITY/*_gtFine_labelIds.png."""
    require_split(split, CITYSCAPES, "cityscapes")
    found = folder(root, f"leftImg8bit/{split}", "cityscapes")
    records = []
    for image in found.glob("*/*_leftImg8bit.png"):
        name = image.name.removesuffix("_leftImg8bit.png")
        marks = root / "gtFine" / split / image.parent.name / f"{name}_gtFine_labelIds.png"
        records.append(Record(name, image, labels=marks))
    return records


def _voc_marks(split: str) -> str:
    return "SegmentationClassAug" if split.endswith("aug") else "SegmentationClass"


def _voc_splits(root: Path) -> list[str]:
    return [s for s in _lists(root, "Segmentation") if (root / _voc_marks(s)).is_dir()]


@layout("voc", _voc_splits)
def voc(root: Path, split: str) -> list[Record]:
    """JPEGImages/ with SegmentationClass/ (SegmentationClassAug/ for trainaug), by split lists."""
    return _listed(root, "Segmentation", split, _voc_marks(split), "voc")


def _context_splits(root: Path) -> list[str]:
    known = (root / "SegmentationClassContext").is_dir()
    return _lists(root, "SegmentationContext") if known else []


@layout("pascal_context", _context_splits)
def pascal_context(root: Path, split: str) -> list[Record]:
    """JPEGImages/ with SegmentationClassContext/, by ImageSets/SegmentationContext/SPLIT.txt."""
    where = "SegmentationClassContext"
    return _listed(root, "SegmentationContext", split, where, "pascal_context")


def _listed(root: Path, lists: str, split: str, marks: str, name: str) -> list[Record]:
    """Images that ImageSets/LISTS/SPLIT.txt names; `UserError` for a list that is not there."""
    path = root / "ImageSets" / lists / f"{split}.txt"
    if not path.is_file():
        known = ", ".join(_lists(root, lists)) or "none"
        raise UserError(
            f"split list {path} is missing, so nobody knows which images are in {split}; lists "
            f"there: {known}; layout {name} is {get(name).shape}"
        )
    stems = path.read_text().split()
    if not stems:
        raise UserError(f"split list {path} is empty; restore it")
    return [
        Record(s, root / "JPEGImages" / f"{s}.jpg", labels=root / marks / f"{s}.png") for s in stems
    ]


def _lists(root: Path, lists: str) -> list[str]:
    return sorted(path.stem for path in (root / "ImageSets" / lists).glob("*.txt"))


def _paired(pictures: list[Path], marks: Path) -> list[Record]:
    found = by_stem(marks, SUFFIXES)
    return [
        Record(image.stem, image, labels=found.get(image.stem, marks / f"{image.stem}.png"))
        for image in pictures
    ]
