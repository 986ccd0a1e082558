"""How well each class is found: its IoU over all validation images, predictor by predictor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.data import classes
from pipeline.files import read_json
from pipeline.paths import DATA, EVALUATE
from pipeline.report.drawing import colour
from pipeline.report.facts import Facts
from pipeline.report.numbers import NOTHING, THIN, fixed
from pipeline.report.tables import Cell, Line, cell, predictor_title, predictors

PATH = EVALUATE / "classes.json"
"""IoU of each class in the order of their list, by predictor; null where neither side has it."""


def columns(facts: Facts) -> list[str]:
    """Heads of the table."""
    return ["Pixels", *(f"{predictor_title(facts, name)} ↑" for name in predictors(facts))]


def class_lines(facts: Facts) -> list[Line]:
    """A row for every class; none where the task has no classes."""
    listed = DATA / "classes.json"
    if not (PATH.exists() and listed.exists()):
        return []
    found: Mapping[str, Sequence[float | None]] = read_json(PATH)
    known = classes.get(read_json(listed)["name"])
    shares = _shares(read_json(listed)["pixels"]["val"])
    names = predictors(facts)
    return [
        Line(
            title,
            "",
            [_share(shares[title]), *_values([found[name][index] for name in names])],
            colour=colour(known.colours[index]),
        )
        for index, title in enumerate(known.classes)
    ]


def _shares(pixels: Mapping[str, Any]) -> dict[str, float]:
    """Of the pixels that belong to a class."""
    total = sum(pixels.values())
    return {name: number / total if total else 0.0 for name, number in pixels.items()}


def _share(value: float) -> Cell:
    if not value:
        return cell("none", key=0.0)
    percent = 100 * value
    text = "< 0.1" if percent < 0.1 else fixed(percent, 1)
    return cell(f"{text}{THIN}%", key=value)


def _values(values: Sequence[float | None]) -> list[Cell]:
    """IoUs of one class; the best is marked."""
    top = max((value for value in values if value is not None), default=None)
    return [
        cell(NOTHING)
        if value is None
        else cell(fixed(value, 4), tone="top" if value == top and value else "", key=value)
        for value in values
    ]
