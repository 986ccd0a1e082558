"""What every file loses on the images that are hardest for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.metrics.strata import NAMES
from pipeline.report.facts import Facts, Loss
from pipeline.report.numbers import NOTHING, count, percent, signed
from pipeline.report.tables import Cell, Line, cell, shown

HARDNESS = (
    "half of the density on less of the image than in two thirds of the others",
    "three or more separate regions of at least half of the density’s peak",
    "RMS contrast in the lowest third",
)
"""Every stratum in words."""


def names(facts: Facts) -> list[str]:
    """Strata that have any image: those of a density are empty where there are only classes."""
    return [
        name
        for name in NAMES
        if any(file.strata.get(name, {}).get("images") for file in facts.files)
    ]


def columns(facts: Facts) -> tuple[str, ...]:
    """Heads of the table."""
    return tuple(f"{metric}, {stratum}" for stratum in names(facts) for metric in shown(facts))


def hard_lines(facts: Facts) -> list[Line]:
    """Losses of every file whose strata were measured."""
    return [
        Line(file.title, file.recipe, _cells(file.strata, names(facts), shown(facts)))
        for file in facts.files
        if file.strata
    ]


def explained(facts: Facts) -> str:
    """The strata with their numbers of images, in words; empty where none were measured."""
    found = next((file.strata for file in facts.files if file.strata), {})
    parts = [
        f"{name}: {words} ({count(found[name]['images'], 'image')})"
        for name, words in zip(NAMES, HARDNESS, strict=True)
        if name in names(facts)
    ]
    return "; ".join(parts)


def _cells(
    strata: Mapping[str, Mapping[str, Any]], chosen: Sequence[str], metrics: Sequence[str]
) -> Sequence[Cell]:
    return [_loss(strata.get(name, {}).get(metric)) for name in chosen for metric in metrics]


def _loss(row: Mapping[str, float] | None) -> Cell:
    if row is None:
        return cell(NOTHING, "too few images")
    loss = Loss(**row)
    share = "" if loss.relative is None else f"{percent(loss.relative)} of torch"
    interval = f"[{signed(loss.low)}, {signed(loss.high)}]"
    return cell(signed(loss.difference), share, interval, key=loss.difference)
