"""Which classes whole images of a data set have: by a list beside them, or by their folders."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UserError

LISTS = ("classes.txt", "LOC_synset_mapping.txt")
"""Files of a root that list its classes, a line each: `KEY` or `KEY NAME, OTHER NAME` (the second
is how ImageNet is published on Kaggle)."""
TRAIN = "train"


@dataclass(frozen=True)
class ImageClasses:
    """The classes of a root, in the order of a network's outputs."""

    keys: tuple[str, ...]
    """What folders and lists call them, such as ImageNet's `n01440764`."""
    names: tuple[str, ...]
    """What people call them, no two alike; the keys where nobody says."""
    source: Path
    """The list, or the folder of their folders."""

    @functools.cached_property
    def places(self) -> dict[str, int]:
        """Index of each key."""
        return {key: place for place, key in enumerate(self.keys)}

    def index(self, label: str) -> int | None:
        """The class that a list means by a key or, if it is none, a place counted from 0."""
        if label in self.places:
            return self.places[label]
        place = int(label) if label.isdecimal() else -1
        return place if 0 <= place < len(self.keys) else None


def read(root: Path) -> ImageClasses:
    """The list of a root where it has one, else the names of the folders in `train`, sorted.

    Raises `UserError` for a root with neither, and for a list that is empty or names a class twice.
    """
    for name in LISTS:
        if (root / name).is_file():
            return _of_list(root / name)
    folders = subfolders(root / TRAIN)
    if not folders:
        raise UserError(
            f"{root} does not say which classes there are: it has neither {LISTS[0]} nor a folder "
            f"for each class in {TRAIN}; write {LISTS[0]} with a class a line"
        )
    keys = tuple(folder.name for folder in folders)
    return ImageClasses(keys, keys, root / TRAIN)


def subfolders(folder: Path) -> list[Path]:
    """Folders right in `folder` that are not hidden, by name; none where it is no folder."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _of_list(path: Path) -> ImageClasses:
    keys: dict[str, str] = {}
    for number, line in enumerate(lines(path), 1):
        key, _, name = line.strip().partition(" ")
        if not key:
            continue
        if key in keys:
            raise UserError(f"line {number} of {path} lists the class {key!r} again; remove it")
        keys[key] = name.partition(",")[0].strip() or key
    if not keys:
        raise UserError(f"{path} lists no class; write one a line, or remove the file")
    return ImageClasses(tuple(keys), _told_apart(keys), path)


def lines(path: Path) -> list[str]:
    """Lines of a text file; `UserError` for one that is none or cannot be read."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as text ({error}); restore it") from error


def _told_apart(keys: dict[str, str]) -> tuple[str, ...]:
    """Names, with the key behind those that several classes share (ImageNet has two cranes)."""
    shared = Counter(keys.values())
    return tuple(name if shared[name] == 1 else f"{name} ({key})" for key, name in keys.items())


def require_equal(roles: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The classes all roles agree on; `UserError` naming the first that another role has not."""
    (first, names), *others = roles.items()
    for role, found in others:
        if tuple(found) != tuple(names):
            pairs = zip(names, found, strict=False)
            odd = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(names), len(found)))
            own, theirs = ((each[odd] if odd < len(each) else "nothing") for each in (names, found))
            raise UserError(
                f"data.{role} has other classes than data.{first}: class {odd} is {theirs!r}, not "
                f"{own!r} ({len(found)} and {len(names)} classes); give both the same {LISTS[0]}"
            )
    return tuple(names)
