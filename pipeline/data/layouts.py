"""How data sets lie on disk: each layout turns a root and a split into records.

A layout is a function registered under its name; it lists files and reads none of them.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.data.images import SUFFIXES
from pipeline.errors import UserError
from pipeline.files import read_json


@dataclass(frozen=True)
class Record:
    """One image and what is known about it."""

    id: str
    """Unique in its role; the same wherever the data set lies."""
    image: Path
    map: Path | None = None
    """Grey fixation density map of the image's own size."""
    fixations: Path | None = None
    """SALICON `.mat` file."""


Scanner = Callable[[Path, str], list[Record]]

_LAYOUTS: dict[str, Scanner] = {}


def layout(name: str) -> Callable[[Scanner], Scanner]:
    """Register the decorated scanner under `name`."""

    def add(scanner: Scanner) -> Scanner:
        if name in _LAYOUTS:
            raise ValueError(f"layout {name!r} is registered twice")
        _LAYOUTS[name] = scanner
        return scanner

    return add


def names() -> list[str]:
    """Every registered layout, sorted."""
    return sorted(_LAYOUTS)


def scan(layout: str, root: Path, split: str) -> list[Record]:
    """All records of `split` below `root`, sorted by id.

    Raises `UserError` when the layout is unknown, the root or its folders are missing or empty, an
    annotation is missing, or an id occurs twice.
    """
    if layout not in _LAYOUTS:
        near = difflib.get_close_matches(layout, _LAYOUTS, n=1, cutoff=0.0)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise UserError(f"no layout is called {layout!r}; {hint}Known: {', '.join(names())}")
    if not root.is_dir():
        raise UserError(f"data root {root} is not a folder; register it: fovea data add NAME PATH")
    records = sorted(_LAYOUTS[layout](root, split), key=lambda record: record.id)
    require_unique(records, f"{root} (layout {layout}, split {split})")
    return records


def require_unique(records: list[Record], where: str) -> None:
    """Raise `UserError` naming the first id that two records share."""
    for name, number in Counter(record.id for record in records).items():
        if number > 1:
            files = ", ".join(str(r.image) for r in records if r.id == name)
            raise UserError(
                f"{number} images of {where} have the id {name!r} ({files}); rename all but one"
            )


@layout("salicon")
def salicon(root: Path, split: str) -> list[Record]:
    """SALICON 2017: `images/SPLIT/*.jpg`, `maps/SPLIT/*.png`, `fixations/SPLIT/*.mat`.

    `test` has images only. Fixations may be absent from `train`: learning needs the maps alone.
    """
    images = _images(root, "images", split, "salicon")
    annotated = split != "test"
    maps = _by_stem(root, f"maps/{split}", SUFFIXES, annotated, "salicon")
    fixations = _by_stem(root, f"fixations/{split}", (".mat",), split == "val", "salicon")
    return [
        Record(
            image.stem,
            image,
            _partner(maps, image, "map", root / "maps" / split),
            _partner(fixations, image, "fixation file", root / "fixations" / split),
        )
        for image in images
    ]


@layout("pairs")
def pairs(root: Path, split: str) -> list[Record]:
    """Images with maps: `images/SPLIT/*` and `maps/SPLIT/*` with the same names."""
    images = _images(root, "images", split, "pairs")
    maps = _by_stem(root, f"maps/{split}", SUFFIXES, True, "pairs")
    folder = root / "maps" / split
    return [Record(image.stem, image, _partner(maps, image, "map", folder)) for image in images]


@layout("coco")
def coco(root: Path, split: str) -> list[Record]:
    """COCO 2017 as unlabelled images: `SPLIT/*.jpg`, such as `train2017`.

    `annotations/instances_SPLIT.json` decides which images belong to the split where it exists.
    """
    index = root / "annotations" / f"instances_{split}.json"
    if not index.is_file():
        return [Record(image.stem, image) for image in _images(root, "", split, "coco")]
    folder = _folder(root, split, "coco")
    try:
        files = [folder / str(entry["file_name"]) for entry in read_json(index)["images"]]
    except (KeyError, TypeError) as error:
        raise UserError(f"{index} is no COCO annotation file: it has no {error}") from error
    present = set(folder.iterdir())
    for file in files:
        if file not in present:
            raise UserError(f"{file} is listed in {index} but missing; restore it")
    return [Record(file.stem, file) for file in files]


@layout("folder")
def folder(root: Path, split: str) -> list[Record]:
    """Any images below `SPLIT` (`.` for the root itself), folders inside it included."""
    top = _folder(root, split, "folder")
    files = [f for f in top.rglob("*") if f.suffix.lower() in SUFFIXES and f.is_file()]
    if not files:
        raise UserError(f"no image ({', '.join(SUFFIXES)}) in {top} or below it")
    return [Record(file.relative_to(root).as_posix(), file) for file in files]


_SHAPES = {
    "salicon": "images/SPLIT/*.jpg, maps/SPLIT/*.png and fixations/SPLIT/*.mat",
    "pairs": "images/SPLIT/* and maps/SPLIT/* with the same names",
    "coco": "SPLIT/*.jpg and annotations/instances_SPLIT.json",
    "folder": "images below SPLIT",
}


def _folder(root: Path, inside: str, layout: str) -> Path:
    found = root / inside
    if found.is_dir():
        return found
    near = [c for c in [root.parent, *sorted(root.iterdir())] if (c / inside).is_dir()]
    hint = f"; it is in {' and in '.join(str(c) for c in near[:3])}: give that" if near else ""
    raise UserError(f"no folder {inside} in {root}; layout {layout} is {_SHAPES[layout]}{hint}")


def _images(root: Path, parent: str, split: str, layout: str) -> list[Path]:
    inside = f"{parent}/{split}" if parent else split
    found = _folder(root, inside, layout)
    files = [file for file in found.iterdir() if file.suffix.lower() in SUFFIXES]
    if not files:
        raise UserError(f"no image in {found}; layout {layout} is {_SHAPES[layout]}")
    return files


def _by_stem(
    root: Path, inside: str, suffixes: tuple[str, ...], required: bool, layout: str
) -> dict[str, Path] | None:
    """Annotation files by name without suffix, or `None` where the folder may be absent and is."""
    if not required and not (root / inside).is_dir():
        return None
    found = _folder(root, inside, layout)
    return {f.stem: f for f in found.iterdir() if f.suffix.lower() in suffixes}


def _partner(files: dict[str, Path] | None, image: Path, what: str, where: Path) -> Path | None:
    if files is None:
        return None
    if image.stem not in files:
        raise UserError(f"no {what} for {image} in {where}; restore it or remove the image")
    return files[image.stem]
