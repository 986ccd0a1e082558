"""What was read from files whose own runtime is not everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.report.facts import Facts, File
from pipeline.report.numbers import scientific, short
from pipeline.report.tables import Line, cell

COLUMNS = (
    "Kind",
    "Loads on",
    "Operators",
    "Weights as torch’s",
    "Largest weight error",
    "Executed by",
)


def inspected_lines(facts: Facts) -> list[Line]:
    """A row for every file that was inspected."""
    return [_line(file, file.inspection) for file in facts.files if file.inspection is not None]


def _line(file: File, seen: Mapping[str, Any]) -> Line:
    weights, operators = seen["weights"], sum(seen["operators"].values())
    computed = ", ".join(f"{number} {kind}" for kind, number in seen["computed"].items())
    stored = ", ".join(f"{number} {kind}" for kind, number in weights["stored"].items())
    error = weights["largest_error"]
    cells = [
        cell(seen["kind"]),
        cell(seen["target"], "or later"),
        cell(str(operators), computed, key=operators),
        cell(f"{weights['matched']}/{weights['total']}", stored, key=weights["matched"]),
        cell(scientific(error), "of its tensor’s largest", key=error),
        cell(file.executor) if file.executed else cell("nothing here", file.reason or ""),
    ]
    return Line(file.title, f"{file.recipe}, {short(file.sha256)}", cells)
