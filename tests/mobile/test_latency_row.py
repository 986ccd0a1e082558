"""A latency row is whole or refused, survives JSON, and is compared with its like only."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from mobile.latency_row import SCHEMA, LatencyRow, compare_rows, parse, read_lines
from pipeline.errors import UserError


def row(**changes: Any) -> LatencyRow:
    values: dict[str, Any] = {
        "schema": SCHEMA,
        "artefact_sha256": "ab" * 32,
        "student": "tiny",
        "recipe": "litert_fp32",
        "delegate_asked": "XNNPACK",
        "delegate_obtained": "XNNPACK",
        "nodes_delegated": 20,
        "nodes_total": 20,
        "partitions": 1,
        "threads": 2,
        "affinity": [0, 1],
        "device": "a processor",
        "os": "Linux 6",
        "runtime": "ai-edge-litert",
        "runtime_version": "2.3.0",
        "clocks": "unreadable",
        "input_shape": [1, 3, 192, 256],
        "input_sha256": "cd" * 32,
        "load_ms": 3.5,
        "first_run_ms": 9.0,
        "warmups": 5,
        "repeats": 3,
        "iterations": 20,
        "time_bounded": False,
        "p50_ms": 8.0,
        "p90_ms": 9.0,
        "p95_ms": 9.5,
        "p99_ms": 10.0,
        "mean_ms": 8.2,
        "cv": 0.05,
        "low_ms": 7.5,
        "high_ms": 8.5,
        "repeat_p50_ms": [8.0, 8.1, 7.9],
        "spread": 0.025,
        "peak_memory_bytes": 50_000_000,
        "baseline_memory_bytes": 30_000_000,
        "temperature_c": None,
        "thermal_timed_out": None,
        "host": "0123456789abcdef",
        "source": "host-proxy",
    }
    return LatencyRow(**{**values, **changes})


def test_a_row_survives_json(tmp_path) -> None:
    rows = [row(), row(source="device", temperature_c=31.5, thermal_timed_out=False, affinity=None)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(r.line() + "\n" for r in rows))
    assert read_lines(path) == rows


def test_a_row_is_one_line_with_every_field() -> None:
    line = row().line()
    assert "\n" not in line
    assert set(json.loads(line)) == {field.name for field in dataclasses.fields(LatencyRow)}


@pytest.mark.parametrize("schema", [SCHEMA + 1, 0, None, "1"])
def test_another_schema_is_refused(schema: object) -> None:
    with pytest.raises(UserError, match="unknown here"):
        parse({**row().row(), "schema": schema}, "rows:1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threads", 2.0),
        ("threads", True),
        ("p50_ms", "8"),
        ("p50_ms", float("nan")),
        ("source", "my laptop"),
        ("input_shape", [1, 3, "192"]),
        ("time_bounded", 1),
        ("student", None),
        ("p90_ms", 7.0),
        ("low_ms", 8.4),
    ],
)
def test_a_wrong_value_is_refused(name: str, value: object) -> None:
    with pytest.raises(UserError, match=r"^here: latency row: "):
        parse({**row().row(), name: value}, "here")


def test_missing_and_unknown_fields_are_named() -> None:
    value = row().row()
    del value["threads"]
    with pytest.raises(UserError, match=r"lacks \['threads'\] and has unknown \['cores'\]"):
        parse({**value, "cores": 2}, "here")


def test_a_broken_line_is_located(tmp_path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(row().line() + "\n{\n")
    with pytest.raises(UserError, match=r"rows\.jsonl:2 is not JSON"):
        read_lines(path)
    with pytest.raises(UserError, match="is missing"):
        read_lines(tmp_path / "absent.jsonl")


def test_like_rows_give_a_ratio_with_bounds() -> None:
    slow = row(
        recipe="torch_eager",
        p50_ms=16.0,
        p90_ms=17,
        p95_ms=17.5,
        p99_ms=18,
        low_ms=15.0,
        high_ms=17.0,
    )
    ratio = compare_rows(row(), slow)
    assert ratio.ratio == 0.5
    assert ratio.low == pytest.approx(7.5 / 17)
    assert ratio.high == pytest.approx(8.5 / 15)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"threads": 1}, "thread counts"),
        ({"affinity": [0]}, "pinned processors"),
        ({"input_shape": [1, 3, 64, 64]}, "input shapes"),
        ({"input_sha256": "ef" * 32}, "inputs"),
        ({"source": "device"}, "sources"),
        ({"host": "fedcba9876543210"}, "hosts"),
        ({"clocks": "performance 1 2"}, "clock settings"),
    ],
)
def test_unlike_rows_are_not_compared(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(UserError, match=f"different {reason}"):
        compare_rows(row(), row(**changes))
