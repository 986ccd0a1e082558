"""Files that could not be executed here: what was read from them instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.report.facts import Facts, File
from pipeline.report.numbers import NOTHING, correlation, scientific, short
from pipeline.report.tables import Cell, Line, cell

COLUMNS = ("Kind", "Loads on", "Operators", "Weights as torch’s", "Largest weight error", "Replay")


def inspected_lines(facts: Facts) -> list[Line]:
    """A row for every file that was inspected but not executed."""
    return [
        _line(file, file.inspection)
        for file in facts.files
        if not file.executed and file.inspection is not None
    ]


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
        _replay(seen["replay"]),
    ]
    return Line(file.title, f"{file.recipe}, {short(file.sha256)}", cells)


def _replay(replay: Mapping[str, Any]) -> Cell:
    if replay["refused"] is not None or replay["cc_min"] is None:
        return cell(NOTHING, replay["refused"] or "")
    largest = f"logits within {scientific(replay['max_abs'])}"
    images = f"{replay['images']} images"
    return cell(f"CC {correlation(replay['cc_min'])}", largest, images, key=replay["cc_min"])
