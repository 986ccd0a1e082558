"""Every rule of the gate, at its bound and just over it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

import students
from mobile import recipes
from mobile.backend import Delegation
from mobile.bare import SUFFIX, of
from mobile.gate import Facts, Verdict, judge, problems
from mobile.latency_row import LatencyRow
from pipeline.config.schema import Budget
from tests.mobile.test_latency_row import row
from tests.mobile.tiny import TinyStudent

INT8 = recipes.get("executorch_int8")
PARITY = {"max_abs_max": 2.0, "cc_min": 0.985}


def loss(low: float, torch: float = 2.0) -> dict[str, dict[str, float]]:
    return {"NSS": {"torch": torch, "difference": low / 2, "low": low, "high": 0.0}}


def facts(**changes: Any) -> Facts:
    whole = Delegation("XNNPACK", "nodes", 100, 100, 1, {})
    return replace(Facts(INT8, 3_600_000, 3_000_000, whole, PARITY, loss(-0.01)), **changes)


def broken(given: Facts, budget: Budget | None = None) -> list[Verdict]:
    return [v for v in judge(given, budget or Budget()) if not v.passed]


def timed(**changes: Any) -> LatencyRow:
    return row(source="device", **changes)


def test_a_sound_file_passes_every_rule() -> None:
    verdicts = judge(facts(latency=[timed()]), Budget(size_mib=4, p95_ms=20))
    assert {v.rule for v in verdicts} == {
        "NSS loss",
        "worst image",
        "precision",
        "size",
        "delegation",
        "delegate",
        "p95",
    }
    assert all(v.passed for v in verdicts)


@pytest.mark.parametrize(("low", "passed"), [(-0.02, True), (-0.0201, False), (0.01, True)])
def test_losses_are_judged_at_the_bad_end_of_their_interval(low: float, passed: bool) -> None:
    assert (not broken(facts(losses=loss(low)))) == passed


def test_a_metric_that_is_zero_in_torch_can_lose_nothing() -> None:
    assert not broken(facts(losses=loss(-0.5, torch=0.0)))


def test_losses_on_hard_images_are_judged_where_a_budget_asks_for_it() -> None:
    given = facts(strata={"crowded": {"images": 12, **loss(-0.5)}, "low contrast": {"images": 3}})
    assert not broken(given)
    (verdict,) = broken(given, Budget(stratum_loss=0.2))
    assert verdict.rule == "NSS loss, crowded"
    assert "at worst 25.00% of torch's 2.0000 on 12 images" in verdict.sentence()
    assert not broken(given, Budget(stratum_loss=0.25))


@pytest.mark.parametrize(
    ("changes", "budget", "rule", "says"),
    [
        ({"losses": loss(-0.5)}, {}, "NSS loss", "at worst 25.00% of torch's 2.0000"),
        ({"parity": PARITY | {"cc_min": 0.97}}, {}, "worst image", "correlation with torch 0.97"),
        ({"bytes": 12_000_000}, {}, "precision", "4.00 bytes a parameter"),
        ({}, {"size_mib": 3.0}, "size", "3.43 MiB"),
        (
            {"delegation": Delegation("XNNPACK", "nodes", 94, 100, 3, {"GATHER": 6})},
            {},
            "delegation",
            "94 of 100 nodes, left: 6 GATHER",
        ),
        ({"latency": [timed(delegate_obtained="none")]}, {}, "delegate", "none on"),
        ({"latency": [timed()]}, {"p95_ms": 9.0}, "p95", "9.5 ms"),
        (
            {"recipe": recipes.get("executorch_fp32"), "bytes": 12_000_000},
            {},
            "logits",
            "largest difference from torch 2",
        ),
    ],
)
def test_a_breach_names_itself_and_the_way_out(
    changes: dict[str, Any], budget: dict[str, Any], rule: str, says: str
) -> None:
    found = broken(facts(**changes), Budget(**budget))
    verdict = next(v for v in found if v.rule == rule)
    assert verdict.value.startswith(says)
    assert verdict.way_out
    assert f"{rule}: {verdict.value}, allowed {verdict.bound}; " in next(
        line for line in problems(found) if line.startswith(rule)
    )


def test_a_hosts_milliseconds_are_not_judged() -> None:
    assert not broken(facts(latency=[row(source="host-proxy")]), Budget(p95_ms=0.1))


def test_a_recipe_that_no_delegate_takes_is_not_asked_for_one() -> None:
    left = Delegation("XNNPACK", "nodes", 0, 100, 0, {"CONV_2D": 100})
    slow = timed(delegate_obtained="none")
    given = facts(recipe=recipes.get("litert_16x8"), delegation=left, latency=[slow])
    assert not [v for v in broken(given) if v.rule in {"delegation", "delegate"}]


def test_what_was_not_measured_is_not_judged() -> None:
    bare = facts(parity=None, losses=None, delegation=None, parameters=None)
    assert judge(bare, Budget()) == []
    assert judge(facts(parity=PARITY | {"cc_min": None}, parameters=10), Budget()) != []


def test_time_is_judged_by_the_bare_backbone_of_the_same_run() -> None:
    own = row(p50_ms=4.0, low_ms=3.9, high_ms=4.1, p90_ms=4.2, p95_ms=4.3, p99_ms=4.5)
    bare = replace(own, student=own.student + SUFFIX, p50_ms=2.0, low_ms=1.9, high_ms=2.1)
    given = facts(latency=[own, bare])
    assert not broken(given)
    assert not broken(given, Budget(bare_ratio=2.0))
    (verdict,) = broken(given, Budget(bare_ratio=1.9))
    assert verdict.rule == "over bare backbone"
    assert verdict.value.startswith("2.00 (1.86-2.16) times")
    assert not broken(facts(latency=[own, replace(bare, host="ef" * 8)]), Budget(bare_ratio=1.9))


def test_a_students_backbone_is_what_is_called_bare(student: TinyStudent) -> None:
    assert of(student) is None, "it has none of its own"
    fastsal = students.build("fastsal_a").eval()
    images = torch.rand(1, 3, 64, 64) * 255
    with torch.no_grad():
        expected = fastsal.backbone.features(fastsal.normalise(images))
        assert torch.equal(of(fastsal)(images), expected)
