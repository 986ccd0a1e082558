"""Which images are shown: both ends of every metric, and where a file loses most."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest

from pipeline.report.extremes import choose, extremes, largest_drop
from pipeline.stages import evaluate
from pipeline.tasks.saliency import SaliencyTask


def rows(**columns: list[float | None]) -> list[dict[str, Any]]:
    count = len(next(iter(columns.values())))
    return [
        {"id": f"i{index}", **{name: values[index] for name, values in columns.items()}}
        for index in range(count)
    ]


def test_both_ends_of_each_metric_the_right_way_round() -> None:
    scored = rows(CC=[0.5, 0.9, 0.1], KLDiv=[0.2, 0.3, 1.0])
    cc, kl = extremes(scored, ("CC", "KLDiv"), smaller=("KLDiv",))
    assert (cc.best, cc.best_value, cc.worst, cc.worst_value) == ("i1", 0.9, "i2", 0.1)
    assert (kl.best, kl.worst) == ("i0", "i2")


def test_undefined_scores_are_no_end() -> None:
    (end,) = extremes(rows(NSS=[None, 0.4, 0.2], CC=[None] * 3), ("NSS", "CC"))
    assert (end.best, end.worst) == ("i1", "i2")


def test_ends_come_first_and_the_rest_lies_evenly_between() -> None:
    scored = rows(CC=[i / 100 for i in range(100)], NSS=[abs(i - 40.2) for i in range(100)])
    chosen = choose(scored, ("CC", "NSS"), by="CC", most=8)
    assert len(chosen) == 8
    assert {"i0", "i99", "i40"} <= set(chosen)
    places = [int(name[1:]) for name in chosen]
    assert places == sorted(places, reverse=True)
    assert max(a - b for a, b in pairwise(places)) < 40


def test_the_first_metric_wins_where_there_is_no_place_for_all() -> None:
    scored = rows(CC=[0.1, 0.5, 0.9, 0.4], NSS=[1.0, 2.0, 1.5, 0.2])
    assert choose(scored, ("CC", "NSS"), by="CC", most=2) == ["i2", "i0"]


def test_few_images_are_all_shown_undefined_ones_last() -> None:
    scored = rows(CC=[None, 0.1, 0.3])
    assert choose(scored, ("CC",), by="CC", most=8) == ["i2", "i1", "i0"]


def test_the_report_is_given_the_ends_of_nss_and_cc_whatever_their_number() -> None:
    task = SaliencyTask()
    count = 60
    columns = {m: [math.sin(7.3 * i + k) for i in range(count)] for k, m in enumerate(task.metrics)}
    scored = rows(**columns)
    shown = evaluate.show(task, scored)
    assert len(shown) == evaluate.PICTURES
    for end in extremes(scored, task.gated):
        assert {end.best, end.worst} <= set(shown)


def test_the_largest_drop_is_of_pairs_that_both_define_the_metric() -> None:
    torch = rows(CC=[0.5, 0.9, None, 0.7])
    file = rows(CC=[0.4, 0.7, 0.1, None])
    drop = largest_drop(file, torch, "CC")
    assert drop is not None
    assert (drop.image, drop.torch, drop.file) == ("i1", 0.9, 0.7)
    assert drop.difference == pytest.approx(-0.2)


@pytest.mark.parametrize("gain", [0.1, 0.0, -0.0002])
def test_rounding_and_gains_are_no_drop(gain: float) -> None:
    assert largest_drop(rows(CC=[0.5 + gain]), rows(CC=[0.5]), "CC") is None
