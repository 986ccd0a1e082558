"""ImageNet (Russakovsky et al., IJCV 2015), and any set of images with a folder for each class."""

from __future__ import annotations

from pathlib import Path

from pipeline.data import image_classes, image_lists
from pipeline.data.image_classes import TRAIN, ImageClasses, subfolders
from pipeline.data.images import SUFFIXES
from pipeline.data.layouts.listing import folder, holds_images
from pipeline.data.layouts.registry import layout
from pipeline.data.records import Record
from pipeline.errors import UserError


def _classified(root: Path, split: str) -> bool:
    top = root / split
    if holds_images(top):
        return image_lists.find(root, split) is not None
    return any(holds_images(each) for each in subfolders(top))


def _splits(root: Path) -> list[str]:
    if not _classified(root, TRAIN):
        return []
    return [each.name for each in subfolders(root) if _classified(root, each.name)]


def _names(root: Path) -> tuple[str, ...]:
    return image_classes.read(root).names


@layout("imagenet", _splits, general=1, classes=_names)
def imagenet(root: Path, split: str) -> list[Record]:
    """SPLIT/CLASS/*.JPEG, or SPLIT/*.JPEG and a list such as SPLIT.txt with `NAME CLASS` a line.

    Classes are those of `classes.txt` or `LOC_synset_mapping.txt`, else the folders of `train`. An
    id is `CLASS/NAME`, in a folder without classes `NAME`.
    """
    top = folder(root, split, "imagenet")
    classes = image_classes.read(root)
    pictures = _images(top)
    if pictures:
        listed = image_lists.find(root, split)
        if listed is None:
            raise UserError(
                f"{top} holds images and no folders of classes, so {root / f'{split}.txt'} has to "
                "say the class of each, a line `NAME CLASS`; write it, or sort the images"
            )
        found = image_lists.targets(listed, pictures, classes)
        return [Record(image.stem, image, target=found[image]) for image in pictures]
    return _of_folders(top, classes)


def _of_folders(top: Path, classes: ImageClasses) -> list[Record]:
    folders = {each.name: each for each in subfolders(top)}
    unknown = next((name for name in folders if name not in classes.places), None)
    if unknown is not None:
        raise UserError(
            f"{folders[unknown]} is a folder of the class {unknown!r}, which {classes.source} has "
            "not; add it there, or remove the folder"
        )
    if top.name == TRAIN:
        lost = next((key for key in classes.keys if key not in folders), None)
        if lost is not None:
            raise UserError(
                f"{classes.source} lists the class {lost!r}, but {top} has no such folder: nobody "
                "could learn it; restore the folder, or take the class out of the list"
            )
    records = []
    for name, inside in folders.items():
        found = _images(inside)
        if not found:
            raise UserError(f"{inside} has no image; fill it, or remove it")
        index = classes.places[name]
        records += [Record(f"{name}/{image.stem}", image, target=index) for image in found]
    return records


def _images(inside: Path) -> list[Path]:
    """Images right in a folder."""
    return [each for each in inside.iterdir() if each.suffix.lower() in SUFFIXES]
