"""Class lists of semantic segmentation: names, colours, and what the ids in label images mean."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data import class_names
from pipeline.data.images import read_ids
from pipeline.errors import UserError

VOID = 255
"""Index of pixels that belong to no class: neither learned from nor measured on."""

BACKGROUND = 72
"""Grey level of a class of that name, which mostly covers most of a picture."""

Ids = NDArray[np.uint8]


@dataclass(frozen=True)
class ClassList:
    """The classes of a data set, in the order of a network's outputs."""

    name: str
    classes: tuple[str, ...]
    stored: Mapping[int, int]
    """Ids in label images: each one's class index, or `VOID`. No other id may occur."""

    def __len__(self) -> int:
        return len(self.classes)

    def indices(self, path: Path) -> Ids:
        """Class indices `(H, W)` of a label image, `VOID` where there is none.

        Raises `UserError` naming the file and its first ids that are not in the list, or saying
        that the file is a colour picture or cannot be read.
        """
        raw = read_ids(path)
        largest = max(self.stored)
        table = np.full(largest + 2, -1, np.int16)  # the last entry is what no list has
        for stored, index in self.stored.items():
            table[stored] = index
        found = table[np.where((raw >= 0) & (raw <= largest), raw, largest + 1)]
        if found.min() < 0:
            odd = ", ".join(str(each) for each in np.unique(raw[found < 0])[:5])
            known = f"{min(self.stored)} to {max(i for i in self.stored if i != VOID)}"
            raise UserError(
                f"{path} holds class ids {odd}, which the list {self.name!r} ({known}) has not; "
                "choose another data.classes, or mend the file"
            )
        indices: Ids = found.astype(np.uint8)
        return indices

    @property
    def colours(self) -> NDArray[np.uint8]:
        """(classes, 3) RGB: those of `colours_of`."""
        return colours_of(self.classes)


def colours_of(names: Sequence[str]) -> NDArray[np.uint8]:
    """(classes, 3) RGB: those of `palette`, but grey for what is behind everything else."""
    found = palette(len(names))
    found[[index for index, name in enumerate(names) if name == "background"]] = BACKGROUND
    return found


def palette(classes: int) -> NDArray[np.uint8]:
    """(classes, 3) RGB: hues a golden angle apart, so that neighbours in a list differ."""
    turns = [(0.61803398875 * i % 1, 0.85 - 0.3 * (i % 2)) for i in range(classes)]
    rgb = [colorsys.hsv_to_rgb(hue, depth, 0.95 - 0.2 * (depth < 0.6)) for hue, depth in turns]
    return np.round(255 * np.array(rgb)).astype(np.uint8)


def _straight(name: str, classes: tuple[str, ...], *, first: int = 0, void: int) -> ClassList:
    """Ids that count up from `first`; `void` and 255 belong to no class."""
    ids = {first + index: index for index in range(len(classes))}
    return ClassList(name, classes, ids | {void: VOID, VOID: VOID})


def _cityscapes() -> ClassList:
    """34 ids, of which 19 are evaluated."""
    used = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
    ids = dict.fromkeys(range(34), VOID) | {stored: index for index, stored in enumerate(used)}
    return ClassList("cityscapes", class_names.CITYSCAPES, ids | {VOID: VOID})


_LISTS = {
    found.name: found
    for found in (
        _straight("sample", class_names.SAMPLE, void=VOID),
        _straight("camvid", class_names.CAMVID, void=11),
        _cityscapes(),
        _straight("voc", class_names.VOC, void=VOID),
        _straight("pascal_context", ("background", *class_names.CONTEXT), void=VOID),
        _straight("pascal_context59", class_names.CONTEXT, first=1, void=0),
        _straight("ade20k", class_names.ADE20K, first=1, void=0),
    )
}


def names() -> list[str]:
    """Every class list, sorted."""
    return sorted(_LISTS)


def get(name: str) -> ClassList:
    """The list called `name`. Raises `UserError` with all names for another."""
    if name not in _LISTS:
        raise UserError(f"no class list is called {name!r}; known: {', '.join(names())}")
    return _LISTS[name]


def shrunk(indices: Ids, height: int, width: int) -> Ids:
    """Indices `(H, W)` at another size: each pixel takes the one that its centre lies in.

    In whole numbers: a centre on the edge of two pixels takes the second, on every machine.
    """
    rows, columns = (
        (2 * np.arange(new) + 1) * old // (2 * new)
        for new, old in zip((height, width), indices.shape, strict=True)
    )
    taken: Ids = indices[rows[:, None], columns[None, :]]
    return taken
