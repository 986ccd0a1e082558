"""How data sets lie on disk: each layout turns a root and a split into records.

A layout is a function registered under its name; it lists files and reads none of them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pipeline.data.images import SUFFIXES
from pipeline.data.records import Record, missing, require_unique
from pipeline.errors import UserError
from pipeline.files import read_json

__all__ = ["Layout", "Record", "fitting", "get", "layout", "listed", "names", "scan"]

Scanner = Callable[[Path, str], list[Record]]
Splits = Callable[[Path], list[str]]


@dataclass(frozen=True)
class Layout:
    """A registered layout."""

    name: str
    scan: Scanner
    """Records of a split; an annotation that an image must have is listed where it should lie."""
    splits: Splits | None
    """Splits of a root that lies like this, none of another one; `None`: it cannot tell."""

    @property
    def shape(self) -> str:
        """What lies where, in words: the first line of the scanner's docstring."""
        text = (self.scan.__doc__ or self.name).splitlines()[0].rstrip(".")
        return text[0].lower() + text[1:] if text[1:2].islower() else text


_LAYOUTS: dict[str, Layout] = {}


def layout(name: str, splits: Splits | None = None) -> Callable[[Scanner], Scanner]:
    """Register the decorated scanner under `name`."""

    def add(scanner: Scanner) -> Scanner:
        if name in _LAYOUTS:
            raise ValueError(f"layout {name!r} is registered twice")
        _LAYOUTS[name] = Layout(name, scanner, splits)
        return scanner

    return add


def names() -> list[str]:
    """Every registered layout, sorted."""
    return sorted(_LAYOUTS)


def get(name: str) -> Layout:
    """The layout called `name`; `UserError` with the nearest one when there is none."""
    if name not in _LAYOUTS:
        near = difflib.get_close_matches(name, _LAYOUTS, n=1, cutoff=0.0)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise UserError(f"no layout is called {name!r}; {hint}Known: {', '.join(names())}")
    return _LAYOUTS[name]


def scan(layout: str, root: Path, split: str) -> list[Record]:
    """All records of `split` below `root`, sorted by id.

    Raises `UserError` when the layout is unknown, the root or its folders are missing or empty, an
    annotation is missing, or an id occurs twice.
    """
    records = listed(layout, root, split)
    lost = missing(records)
    if lost:
        more = f" ({len(lost)} such problems: fovea data check {root})" if len(lost) > 1 else ""
        raise UserError(f"{lost[0]}{more}; layout {layout} is {get(layout).shape}")
    require_unique(records, f"{root} (layout {layout}, split {split})")
    return records


def listed(layout: str, root: Path, split: str) -> list[Record]:
    """As `scan`, but without asking whether annotations are there and ids differ."""
    found = get(layout)
    require_root(root)
    records = found.scan(root, split)
    if not records:
        raise UserError(f"no image in split {split} of {root}; layout {layout} is {found.shape}")
    return sorted(records, key=lambda record: record.id)


def require_root(root: Path) -> None:
    """Raise `UserError` unless `root` is a folder that holds something."""
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "is not a folder"
        raise UserError(f"data root {root} {what}; register it: fovea data add NAME PATH")
    if next(root.iterdir(), None) is None:
        raise UserError(f"data root {root} is empty; fill it, or give another: fovea data add")


def fitting(root: Path) -> dict[str, list[str]]:
    """Layouts that `root` may lie in, with its splits in each; the most particular one first."""
    return {
        name: splits
        for name, found in _LAYOUTS.items()
        if found.splits is not None and (splits := found.splits(root))
    }


def _annotated_splits(*parents: str) -> Splits:
    """Folders with images below `images/`, of a root that has all of `parents`."""

    def splits(root: Path) -> list[str]:
        if not all((root / parent).is_dir() for parent in parents):
            return []
        return sorted(p.name for p in (root / parents[0]).iterdir() if _holds_images(p))

    return splits


def _coco_splits(root: Path) -> list[str]:
    if not root.is_dir():
        return []
    indexed = {p.stem.removeprefix("instances_") for p in root.glob("annotations/instances_*.json")}
    return sorted(
        p.name
        for p in root.iterdir()
        if (p.name in indexed or _COCO_SPLIT.fullmatch(p.name)) and _holds_images(p)
    )


def _folder_splits(root: Path) -> list[str]:
    # A home folder given by mistake has millions of files: enough is enough.
    seen = islice(root.rglob("*"), 100_000)
    return ["."] if any(p.suffix.lower() in SUFFIXES for p in seen) else []


_COCO_SPLIT = re.compile(r"(train|val|test|test-dev|unlabeled)20\d\d")


@layout("salicon", _annotated_splits("images", "maps", "fixations"))
def salicon(root: Path, split: str) -> list[Record]:
    """images/SPLIT/*.jpg, maps/SPLIT/*.png and fixations/SPLIT/*.mat (SALICON 2017).

    `test` has images only. Fixations may be absent from `train`: learning needs the maps alone.
    """
    images = _images(root, f"images/{split}", "salicon")
    if split == "test":
        return [Record(image.stem, image) for image in images]
    maps, fixations = root / "maps" / split, root / "fixations" / split
    found, watched = _by_stem(maps, SUFFIXES), _by_stem(fixations, (".mat",))
    needed = split == "val" or fixations.is_dir()
    return [
        Record(
            image.stem,
            image,
            found.get(image.stem, maps / f"{image.stem}.png"),
            watched.get(image.stem, fixations / f"{image.stem}.mat") if needed else None,
        )
        for image in images
    ]


@layout("pairs", _annotated_splits("images", "maps"))
def pairs(root: Path, split: str) -> list[Record]:
    """images/SPLIT/* and maps/SPLIT/* with the same names."""
    maps = root / "maps" / split
    found = _by_stem(maps, SUFFIXES)
    return [
        Record(image.stem, image, found.get(image.stem, maps / f"{image.stem}.png"))
        for image in _images(root, f"images/{split}", "pairs")
    ]


@layout("coco", _coco_splits)
def coco(root: Path, split: str) -> list[Record]:
    """SPLIT/*.jpg, such as train2017, and annotations/instances_SPLIT.json (COCO 2017).

    The images are unlabelled; the annotations, where there are any, say which of them belong to
    the split.
    """
    index = root / "annotations" / f"instances_{split}.json"
    if not index.is_file():
        return [Record(image.stem, image) for image in _images(root, split, "coco")]
    folder = _folder(root, split, "coco")
    try:
        files = [folder / str(entry["file_name"]) for entry in read_json(index)["images"]]
    except (KeyError, TypeError) as error:
        raise UserError(f"{index} is no COCO annotation file: it has no {error}") from error
    return [Record(file.stem, file) for file in files]


@layout("folder", _folder_splits)
def folder(root: Path, split: str) -> list[Record]:
    """Any images below SPLIT (`.`: the root itself), folders inside it included."""
    top = _folder(root, split, "folder")
    files = [f for f in top.rglob("*") if f.suffix.lower() in SUFFIXES and f.is_file()]
    if not files:
        raise UserError(f"no image ({', '.join(SUFFIXES)}) in {top} or below it")
    return [Record(file.relative_to(root).as_posix(), file) for file in files]


def _folder(root: Path, inside: str, layout: str) -> Path:
    found = root / inside
    if found.is_dir():
        return found
    raise UserError(
        f"no folder {inside} in {root}; layout {layout} is {get(layout).shape}"
        f"{_way_out(root, inside, layout)}"
    )


def _way_out(root: Path, inside: str, layout: str) -> str:
    """Where the folder is, or what else the root could be."""
    near = [c for c in [root.parent, *sorted(root.iterdir())] if (c / inside).is_dir()]
    if near:
        return f"; it is in {' and in '.join(str(c) for c in near[:3])}: give that"
    fits = fitting(root)
    if layout in fits:
        return f"; its splits are {', '.join(fits[layout])}"
    if layout not in _UNLABELLED:
        fits.pop("folder", None)  # what lacks its images may still hold maps
    if not fits:
        return ""
    name, splits = next(iter(fits.items()))
    return (
        f"; it lies as layout {name} does (splits {', '.join(splits)}): choose that layout, or "
        "the right root"
    )


_UNLABELLED = ("coco", "folder")


def _images(root: Path, inside: str, layout: str) -> list[Path]:
    found = _folder(root, inside, layout)
    files = [file for file in found.iterdir() if file.suffix.lower() in SUFFIXES]
    if not files:
        raise UserError(f"no image in {found}; layout {layout} is {get(layout).shape}")
    return files


def _by_stem(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Files by name without suffix; none where the folder is missing."""
    if not folder.is_dir():
        return {}
    return {f.stem: f for f in folder.iterdir() if f.suffix.lower() in suffixes}


def _holds_images(folder: Path) -> bool:
    return folder.is_dir() and any(f.suffix.lower() in SUFFIXES for f in folder.iterdir())
