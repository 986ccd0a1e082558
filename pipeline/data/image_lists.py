"""Lists that say the class of every image of a folder, in the forms that ImageNet comes with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.data import matfile
from pipeline.data.image_classes import ImageClasses, lines
from pipeline.errors import UserError

TRUTH = "ILSVRC2012_validation_ground_truth.txt"
META = "meta.mat"
PLACES = (".", "data", "ILSVRC2012_devkit_t12/data")
"""Where the development kit's files may lie below a root."""


def find(root: Path, split: str) -> Path | None:
    """SPLIT.txt, LOC_SPLIT_solution.csv or, of `val`, the development kit's; None without any."""
    kit = [root / place / TRUTH for place in PLACES] if split == "val" else []
    known = [root / f"{split}.txt", root / f"LOC_{split}_solution.csv", *kit]
    return next((path for path in known if path.is_file()), None)


def targets(path: Path, images: Sequence[Path], classes: ImageClasses) -> dict[Path, int]:
    """The class index of each of `images`.

    Raises `UserError` naming file and line for a class that is not listed, an image that is not
    there or was named before, and for images that no line names.
    """
    if path.name == TRUTH:
        return _by_order(path, images, classes)
    by_name = {name: image for image in images for name in (image.name, image.stem)}
    found: dict[Path, int] = {}
    for number, line in enumerate(lines(path), 1):
        parts = line.replace(",", " ").split()
        if not parts or (number == 1 and parts[0] == "ImageId"):
            continue
        if len(parts) == 1:
            raise UserError(f"line {number} of {path} names {parts[0]} and no class; add it")
        name, label = parts[:2]
        image = by_name.get(Path(name).name)
        if image is None:
            where = images[0].parent
            raise UserError(f"line {number} of {path} names {name}, which is not in {where}")
        if image in found:
            raise UserError(f"line {number} of {path} names {name} again; remove one of the lines")
        index = classes.index(label)
        if index is None:
            raise UserError(f"line {number} of {path}: {_unknown(label, classes)}")
        found[image] = index
    missing = [image for image in images if image not in found]
    if missing:
        raise UserError(
            f"{path} says no class of {missing[0]}, nor of {len(missing) - 1} more images; "
            "complete it, or remove the images"
        )
    return found


def _unknown(label: str, classes: ImageClasses) -> str:
    known = len(classes.keys)
    return (
        f"{label!r} is no class of {classes.source}, which has {known}; write one of those or "
        f"its place, 0 to {known - 1}"
    )


def _by_order(path: Path, images: Sequence[Path], classes: ImageClasses) -> dict[Path, int]:
    """Of the development kit: an id a line, for images by name.

    Its ids have an order of their own, which `meta.mat` beside it tells.
    """
    keys = _kit_keys(path.with_name(META))
    said = [line.strip() for line in lines(path) if line.strip()]
    if len(said) != len(images):
        raise UserError(
            f"{path} has {len(said)} lines, but {images[0].parent} {len(images)} images: which "
            "line is whose, nobody can tell; restore the images that are missing"
        )
    found = {}
    for number, (image, label) in enumerate(zip(sorted(images), said, strict=True), 1):
        key = keys.get(label)
        if key is None:
            raise UserError(f"line {number} of {path}: {path.with_name(META)} has no id {label!r}")
        index = classes.places.get(key)
        if index is None:
            raise UserError(f"line {number} of {path}: {_unknown(key, classes)}")
        found[image] = index
    return found


def _kit_keys(path: Path) -> dict[str, str]:
    """Keys of classes by the ids of `meta.mat`."""
    if not path.is_file():
        raise UserError(
            f"{path} is missing, and {TRUTH} counts classes in an order that only it tells; copy "
            "it from the development kit"
        )
    try:
        content, _ = matfile.read(path.read_bytes(), ("synsets",), ("ILSVRC2012_ID", "WNID"))
        ids = [int(np.ravel(each["ILSVRC2012_ID"])[0]) for each in content["synsets"]]
        return dict(zip(map(str, ids), (str(s["WNID"]) for s in content["synsets"]), strict=True))
    except (OSError, NotImplementedError, ValueError, KeyError, TypeError, IndexError) as error:
        raise UserError(
            f"{path} is not the development kit's list of classes ({error}); restore it"
        ) from error
