"""How well each class is found over all validation images, predictor by predictor.

By its IoU where pixels have classes, by the share of its images that are called by it where whole
images have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.data.classes import colours_of
from pipeline.files import read_json
from pipeline.paths import DATA, EVALUATE
from pipeline.report.drawing import colour
from pipeline.report.facts import STUDENT, Facts
from pipeline.report.numbers import NOTHING, THIN, fixed
from pipeline.report.tables import Cell, Line, cell, predictor_title, predictors

PATH = EVALUATE / "classes.json"
"""Of each class in the order of their list, by predictor; null where it is not defined."""
LISTED = DATA / "classes.json"
KINDS = {"pixels": "IoU of every class", "images": "Accuracy of every class"}
"""What the table is called, by what has classes."""
NOTES = {
    "pixels": "Over the pixels of all validation images together; the share is of those that "
    "belong to a class. A dash stands where a class neither occurs nor is predicted.",
    "images": "The share of a class’s validation images that are called by it. A dash stands where "
    "a class has none.",
}
MOST = 60
"""Rows of the table: of more classes those that the student finds worst."""


def columns(facts: Facts) -> list[str]:
    """Heads of the table."""
    return [
        kind().capitalize(),
        *(f"{predictor_title(facts, name)} ↑" for name in predictors(facts)),
    ]


def kind() -> str:
    """Whether `pixels` or `images` have the classes; the former where nothing has."""
    return "images" if LISTED.exists() and "images" in read_json(LISTED) else "pixels"


def class_lines(facts: Facts) -> list[Line]:
    """A row for every class; none where the task has no classes."""
    if not (PATH.exists() and LISTED.exists()):
        return []
    found: Mapping[str, Sequence[float | None]] = read_json(PATH)
    listed = read_json(LISTED)
    titles, held = listed["classes"], _held(listed)
    names = predictors(facts)
    return [
        Line(
            titles[index],
            "",
            [held[index], *_values([found[name][index] for name in names])],
            colour=colour(colours_of(titles)[index]) if kind() == "pixels" else "",
        )
        for index in _worst(found[STUDENT])
    ]


def _worst(values: Sequence[float | None]) -> list[int]:
    """Classes in the order of their list, of many those with the least values."""
    known = [index for index, value in enumerate(values) if value is not None]
    if len(values) <= MOST:
        return list(range(len(values)))
    return sorted(sorted(known, key=lambda index: values[index] or 0.0)[:MOST])


def _held(listed: Mapping[str, Any]) -> list[Cell]:
    """What the validation images hold of each class: a share of their pixels, or images."""
    if kind() == "images":
        return [cell(str(number), key=number) for number in listed["images"]["val"]]
    pixels = [listed["pixels"]["val"][title] for title in listed["classes"]]
    total = sum(pixels)
    return [_share(number / total if total else 0.0) for number in pixels]


def _share(value: float) -> Cell:
    if not value:
        return cell("none", key=0.0)
    percent = 100 * value
    text = "< 0.1" if percent < 0.1 else fixed(percent, 1)
    return cell(f"{text}{THIN}%", key=value)


def _values(values: Sequence[float | None]) -> list[Cell]:
    """Of one class; the best is marked."""
    top = max((value for value in values if value is not None), default=None)
    return [
        cell(NOTHING)
        if value is None
        else cell(fixed(value, 4), tone="top" if value == top and value else "", key=value)
        for value in values
    ]
