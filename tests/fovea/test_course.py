"""`fovea compare --history`: like runs as ratios, unlike ones apart, spread between runs."""

from __future__ import annotations

from typing import Any

import pytest

from fovea.cli import main
from mobile import history
from mobile.latency_row import LatencyRow
from tests.fovea.conftest import Made
from tests.fovea.test_latency import bench
from tests.mobile.test_latency_row import row

WHICH = ("compare", "--history", "tiny:litert_fp32")


def taking(p50: float, **changes: Any) -> LatencyRow:
    times = {"p90_ms": p50 + 1, "p95_ms": p50 + 2, "p99_ms": p50 + 3}
    return row(p50_ms=p50, low_ms=p50 - 0.5, high_ms=p50 + 0.5, **times, **changes)


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_runs_are_ratios_to_the_first_and_to_the_best(capsys: pytest.CaptureFixture[str]) -> None:
    for p50 in (8.0, 10.0, 4.0):
        history.append([taking(p50), taking(99.0, recipe="another")])
    assert main([*WHICH]) == 0
    ground, _, first, second, third, spread = said(capsys)
    assert ground == "a processor, 2 threads, ai-edge-litert 2.3.0"
    assert first.split()[3:] == ["8.00", "1.000", "2.000"]
    assert second.split()[3:] == ["10.00", "1.250", "(1.118-1.400)", "2.500"]
    assert third.split()[3:] == ["4.00", "0.500", "(0.412-0.600)", "1.000"]
    assert spread == "abababab: 3 runs, spread 150.0%: over 10%, this machine was not quiet"


def test_steady_runs_are_said_to_be_steady(capsys: pytest.CaptureFixture[str]) -> None:
    history.append([taking(8.0)])
    history.append([taking(8.7)])
    assert main([*WHICH]) == 0
    assert said(capsys)[-1] == "abababab: 2 runs, spread 8.7%"


def test_another_file_may_differ_without_unrest(capsys: pytest.CaptureFixture[str]) -> None:
    history.append([taking(8.0), taking(4.0, artefact_sha256="cd" * 32)])
    assert main([*WHICH]) == 0
    lines = said(capsys)
    assert lines[-1].split()[4] == "0.500"
    assert "spread" not in "".join(lines)


@pytest.mark.parametrize(
    "changes", [{"threads": 1}, {"host": "fe" * 8}, {"runtime_version": "2.4.0"}]
)
def test_no_ratio_crosses_unlike_runs(
    changes: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    history.append([taking(8.0), taking(4.0, **changes), taking(8.2)])
    assert main([*WHICH]) == 0
    lines = said(capsys)
    ratios = [line.split()[4] for line in lines if line.startswith("20")]
    assert ratios == ["1.000", "1.025", "1.000"]
    assert lines[-1] == "2 sets of runs are not measured alike: no ratio crosses them"


def test_bench_adds_to_the_history(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert bench(made.file("litert_fp32")) == 0
    said(capsys)
    assert main([*WHICH]) == 0
    assert "2 runs, spread" in said(capsys)[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--history", "tiny:none"), "no run of 'tiny:none'; it has tiny:litert_fp32"),
        (("--history", "tiny"), "should read STUDENT:RECIPE"),
        (("a.jsonl", "--history", "tiny:litert_fp32"), "goes without A and B"),
        (("a.jsonl",), "give two sets of rows"),
    ],
)
def test_bad_use_is_one_line(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    history.append([taking(8.0)])
    assert main(["compare", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_without_a_history_it_says_how_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WHICH]) == 2
    assert "is missing; measure first: fovea bench" in capsys.readouterr().err
