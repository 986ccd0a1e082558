"""One latency measurement as one JSON line: the same schema for hosts, phones and browsers."""

from __future__ import annotations

import dataclasses
import json
import math
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pipeline.errors import UserError

SCHEMA = 2
Source = Literal["device", "emulator", "browser", "host-proxy"]


@dataclass(frozen=True)
class LatencyRow:
    """Milliseconds of one artefact on one machine. Times in ms, sizes in bytes."""

    schema: int
    artefact_sha256: str
    """Of the file that ran; of the weights for torch eager."""
    student: str
    recipe: str
    """A recipe's name, or `torch_eager`."""
    delegate_asked: str
    delegate_obtained: str
    """`none` where nothing was delegated."""
    nodes_delegated: int | None
    """None where the runtime tells nothing of it."""
    nodes_total: int | None
    partitions: int | None
    threads: int
    affinity: list[int] | None
    """Processors the process was pinned to; None where the system cannot pin."""
    device: str
    """Processor or phone model."""
    os: str
    runtime: str
    runtime_version: str
    clocks: str
    """Frequency governor and range, or `unreadable`."""
    input_shape: list[int]
    """(1, 3, H, W) whatever layout the file takes."""
    input_sha256: str
    """Of the input's float32 bytes: the version of the input."""
    load_ms: float
    """From the file's path to a runner ready to run."""
    first_run_ms: float
    warmups: int
    repeats: int
    iterations: int
    """Timed iterations per repeat; fewer than asked where `time_bounded`."""
    time_bounded: bool
    """Whether a repeat stopped at its time limit."""
    p50_ms: float
    """Of all timed iterations of all repeats, like the next five."""
    p90_ms: float
    p95_ms: float
    p99_ms: float
    mean_ms: float
    cv: float
    """Standard deviation over mean."""
    low_ms: float
    """Bootstrap 95 % interval of the median."""
    high_ms: float
    repeat_p50_ms: list[float]
    """Median of each repeat."""
    spread: float
    """(largest - smallest repeat median) / median: drift between repeats."""
    peak_memory_bytes: int | None
    """Peak resident memory of a process of its own that loads and runs the file."""
    baseline_memory_bytes: int | None
    """Resident memory of that process before it loads the file."""
    temperature_c: float | None
    """Hottest reading before a repeat; None where unreadable."""
    thermal_timed_out: bool | None
    """Whether waiting to cool down gave up; None where temperature is unreadable."""
    host: str
    """Fingerprint of the machine and its runtimes."""
    source: Source
    thermal_status: str | None = None
    """The system's own word for how hot the device is: `none`, `light`, …; `nominal`, `fair`, …"""

    def __post_init__(self) -> None:
        for name, kind in typing.get_type_hints(LatencyRow).items():
            value = getattr(self, name)
            if not _fits(value, kind):
                raise UserError(f"latency row: {name} is {value!r}, expected {_named(kind)}")
        if not 0 < self.p50_ms <= self.p90_ms <= self.p95_ms <= self.p99_ms:
            raise UserError("latency row: percentiles must be positive and rise from p50 to p99")
        if not self.low_ms <= self.p50_ms <= self.high_ms:
            raise UserError("latency row: the median lies outside of its own interval")

    def line(self) -> str:
        """The row as one JSON line, without a newline."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    def row(self) -> dict[str, Any]:
        """The row as plain JSON."""
        return dataclasses.asdict(self)


def parse(value: Any, where: str) -> LatencyRow:
    """A row from decoded JSON; `UserError` naming `where` for another schema or wrong fields."""
    if not isinstance(value, dict):
        raise UserError(f"{where}: a latency row is a JSON object, got {type(value).__name__}")
    if value.get("schema") != SCHEMA:
        raise UserError(
            f"{where}: latency schema {value.get('schema')!r} is unknown here (expected {SCHEMA}); "
            "measure again, or update to the version that wrote it"
        )
    known = {field.name for field in dataclasses.fields(LatencyRow)}
    optional = {"thermal_status"}  # only apps on a phone can tell
    missing, unknown = sorted(known - optional - value.keys()), sorted(value.keys() - known)
    if missing or unknown:
        raise UserError(f"{where}: latency row lacks {missing} and has unknown {unknown}")
    try:
        return LatencyRow(**value)
    except UserError as error:
        raise UserError(f"{where}: {error}") from error


def read_lines(path: Path) -> list[LatencyRow]:
    """All rows of a file of JSON lines; `UserError` names file and line."""
    if not path.is_file():
        raise UserError(f"{path} is missing; measure latency first")
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise UserError(f"{path}:{number} is not JSON ({error})") from error
        rows.append(parse(value, f"{path}:{number}"))
    return rows


@dataclass(frozen=True)
class Comparison:
    """How the times of two like rows relate."""

    ratio: float
    """Median of `a` over median of `b`: below 1, `a` is faster."""
    low: float
    """Smallest ratio that both 95 % intervals allow."""
    high: float


_ALIKE = {
    "threads": "thread counts",
    "affinity": "pinned processors",
    "clocks": "clock settings",
    "input_shape": "input shapes",
    "input_sha256": "inputs",
    "source": "sources",
    "host": "hosts",
    "device": "devices",
}


def compare_rows(a: LatencyRow, b: LatencyRow) -> Comparison:
    """Ratio of `a` to `b`; `UserError` with the reason when they were not measured alike."""
    for name, words in _ALIKE.items():
        first, second = getattr(a, name), getattr(b, name)
        if first != second:
            raise UserError(
                f"{a.recipe} and {b.recipe} have different {words} ({first!r}, {second!r}): "
                "their times cannot be compared; measure both in one run"
            )
    return Comparison(a.p50_ms / b.p50_ms, a.low_ms / b.high_ms, a.high_ms / b.low_ms)


def _fits(value: Any, kind: Any) -> bool:
    if typing.get_origin(kind) is Literal:
        return value in get_args(kind)
    if typing.get_origin(kind) is list:
        return isinstance(value, list) and all(_fits(item, get_args(kind)[0]) for item in value)
    if get_args(kind):  # a union
        return any(_fits(value, option) for option in get_args(kind))
    if kind is float:
        return isinstance(value, int | float) and _is_number(value) and math.isfinite(value)
    if kind is int:
        return isinstance(value, int) and _is_number(value)
    return isinstance(value, kind)


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool)


def _named(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind)
