"""Precision-recall curves of salient objects: kept whole, drawn in the order of the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.files import write_json
from pipeline.metrics import objects
from pipeline.report import precision
from pipeline.report.facts import Facts
from pipeline.tasks.objects import SalientObjectTask
from tests.report import workspace


def curve(level: int) -> objects.Curve:
    """Of a map that is `level` inside a mask and noise outside."""
    generator = np.random.default_rng(level)
    mask = np.zeros((20, 30), bool)
    mask[5:15, 8:20] = True
    saved = generator.integers(0, 160, mask.shape).astype(np.uint8)
    saved[mask] = level
    return objects.curve(saved, mask)


def facts() -> Facts:
    means = {name: {} for name in ("mean map", "teacher big", "student")}
    return Facts(workspace.configuration(), 1, 1, 1, means, {}, {}, 1)


def test_the_largest_f_of_what_is_kept_is_the_metric() -> None:
    task, gathered = SalientObjectTask(), [curve(90), curve(140)]
    kept = task.details(gathered)["curves"]
    assert {name: len(values) for name, values in kept.items()} == {"precision": 256, "recall": 256}
    back = objects.Curve(np.array(kept["precision"]), np.array(kept["recall"]))
    assert objects.f_of(back).max() == pytest.approx(task.reduce(gathered)["maxF"], abs=1e-4)


def test_every_predictor_is_a_line_and_the_prior_a_dashed_one(folder: Path) -> None:
    task = SalientObjectTask()
    levels = {"student": 200, "teacher big": 140, "mean map": 60}
    kept = {name: task.details([curve(level)])["curves"] for name, level in levels.items()}
    write_json(precision.PATH, kept)
    wide, narrow = precision.precision_charts(facts()) or ("", "")
    for drawn in (wide, narrow):
        assert drawn.count("<polyline") == 3
        assert drawn.count('class="line m3 prior"') == 2  # the curve and its line in the legend
        assert drawn.index(">Student, largest F 1.000<") < drawn.index(">Teacher big, largest F")
        assert drawn.index(">Teacher big, largest F") < drawn.index(">Mean map, largest F")


def test_without_curves_there_is_no_chart(folder: Path) -> None:
    assert precision.precision_charts(facts()) is None
