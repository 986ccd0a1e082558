"""The registered layouts, and what is asked of all of them."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.data.records import Record, missing, require_unique
from pipeline.errors import UserError

Scanner = Callable[[Path, str], list[Record]]
Splits = Callable[[Path], list[str]]
Classes = Callable[[Path], tuple[str, ...]]

JOIN = "+"
"""Between the splits that a role takes as one: `train2017+test2017`."""


@dataclass(frozen=True)
class Layout:
    """A registered layout."""

    name: str
    scan: Scanner
    """Records of a split; an annotation that an image must have is listed where it should lie."""
    splits: Splits | None
    """Splits of a root that lies like this, none of another one; `None`: it cannot tell."""
    edition: int | None = None
    """The edition that is meant where a role names none; `None`: the data set has no editions."""
    fixed: bool = False
    """Whether that edition is the only one that lies so."""
    general: int = 0
    """Of layouts that all fit a root, the least general one is meant."""
    classes: Classes | None = None
    """Names, by index, of the classes that whole images of a root have; `None`: they have none."""

    @property
    def shape(self) -> str:
        """What lies where, in words: the first line of the scanner's docstring."""
        text = (self.scan.__doc__ or self.name).splitlines()[0].rstrip(".")
        return text[0].lower() + text[1:] if text[1:2].islower() else text


_LAYOUTS: dict[str, Layout] = {}


def layout(
    name: str,
    splits: Splits | None = None,
    *,
    edition: int | None = None,
    fixed: bool = False,
    general: int = 0,
    classes: Classes | None = None,
) -> Callable[[Scanner], Scanner]:
    """Register the decorated scanner under `name`."""

    def add(scanner: Scanner) -> Scanner:
        if name in _LAYOUTS:
            raise ValueError(f"layout {name!r} is registered twice")
        _LAYOUTS[name] = Layout(name, scanner, splits, edition, fixed, general, classes)
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
    """All records of `split` below `root`, sorted by id; of several splits joined by `+` as one.

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
    records: list[Record] = []
    for part in parts(split):
        some = found.scan(root, part)
        if not some:
            raise UserError(f"no image in split {part} of {root}; layout {layout} is {found.shape}")
        records += some
    return sorted(records, key=lambda record: record.id)


def parts(split: str) -> list[str]:
    """The splits that `split` joins. Raises `UserError` when one is missing or named twice."""
    found = split.split(JOIN)
    if "" in found or len(set(found)) < len(found):
        raise UserError(
            f"split {split!r} should be one name, or different names joined by {JOIN}, such as "
            f"train2017{JOIN}test2017"
        )
    return found


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
        found.name: splits
        for found in sorted(_LAYOUTS.values(), key=lambda known: (known.general, known.name))
        if found.splits is not None and (splits := found.splits(root))
    }
