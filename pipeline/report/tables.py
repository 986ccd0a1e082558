"""Rows of the page's tables, already in words and digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.report.facts import PRIOR, STUDENT, TEACHER, Facts, File, Loss, Timing
from pipeline.report.numbers import (
    NOTHING,
    correlation,
    fixed,
    mib,
    ms,
    percent,
    ratio,
    scientific,
    short,
    signed,
)

SHOWN = ("NSS", "CC")
"""Metrics of the files' table."""


@dataclass(frozen=True)
class Cell:
    """A value and what qualifies it."""

    value: str
    notes: Sequence[str] = ()
    tone: str = ""
    """`good`, `bad` or nothing."""


@dataclass(frozen=True)
class Line:
    """A row: what it is about, and its cells."""

    title: str
    note: str
    cells: Sequence[Cell]
    reference: bool = False


FILE_COLUMNS = (
    "Budgets",
    "Size, MiB",
    "p50, ms",
    "p90, ms",
    "Time / torch",
    *SHOWN,
    "Largest logit error",
    "Least CC with torch",
    "SQNR, dB",
    "Delegated",
)


def cell(value: str, *notes: str, tone: str = "") -> Cell:
    """A cell; empty notes are dropped."""
    return Cell(value, [note for note in notes if note], tone)


def file_lines(facts: Facts) -> list[Line]:
    """Torch as the reference, then every file."""
    means = facts.means[STUDENT]
    timing = facts.torch
    note = f"{short(facts.lineage[-1][1])}, float32" if not facts.files else "float32, eager"
    torch = Line(
        "torch",
        note,
        [
            cell("reference"),
            cell(mib(facts.checkpoint_bytes), "weights"),
            *_times(timing),
            cell("1.00×" if timing else NOTHING),
            *(cell(fixed(_torch_mean(facts, name, means), 4)) for name in SHOWN),
            *(cell(NOTHING),) * 4,
        ],
        reference=True,
    )
    return [torch, *(_file_line(file) for file in facts.files)]


def _state(file: File) -> Cell:
    if not file.problems:
        return cell("met", tone="good")
    return cell(f"{len(file.problems)} broken", tone="bad")


def _torch_mean(facts: Facts, name: str, means: Mapping[str, float]) -> float:
    return facts.files[0].metrics[name].torch if facts.files else means[name]


def _file_line(file: File) -> Line:
    parity = file.parity
    cells = [
        _state(file),
        cell(mib(file.bytes)),
        *_times(file.timing),
        _ratio(file.timing),
        *(_loss(file.metrics[name]) for name in SHOWN),
        cell(scientific(parity["max_abs_max"])),
        cell(correlation(parity["cc_min"])),
        _sqnr(parity["sqnr_db_mean"], parity["sqnr_db_min"]),
        cell(f"{file.delegated}/{file.nodes}", _partitions(file)),
    ]
    return Line(file.title, f"{file.recipe}, {short(file.sha256)}", cells)


def _times(timing: Timing | None) -> list[Cell]:
    if timing is None:
        return [cell(NOTHING, "not measured"), cell(NOTHING)]
    row = timing.row
    return [
        cell(ms(row["p50_ms"])),
        cell(ms(row["p90_ms"])),
    ]


def _ratio(timing: Timing | None) -> Cell:
    if timing is None or timing.ratio is None:
        return cell(NOTHING, "not comparable" if timing else "")
    return cell(ratio(timing.ratio), f"{fixed(timing.low, 2)} to {fixed(timing.high, 2)}")


def _loss(loss: Loss) -> Cell:
    interval = f"[{signed(loss.low)}, {signed(loss.high)}]"
    return cell(fixed(loss.file, 4), signed(loss.difference), interval)


def _sqnr(mean: float | None, least: float | None) -> Cell:
    if mean is None:
        return cell("no error")
    return cell(fixed(mean, 1), f"least {fixed(least, 1)}")


def _partitions(file: File) -> str:
    return "1 partition" if file.partitions == 1 else f"{file.partitions} partitions"


RUN_COLUMNS = (
    "Load, ms",
    "First run, ms",
    "p50, ms",
    "p99, ms",
    "Drift between repeats",
    "Peak memory, MiB",
    "Timed runs",
)


def run_lines(facts: Facts) -> list[Line]:
    """What else was measured while timing, torch first."""
    timed = [("torch", facts.torch), *((file.title, file.timing) for file in facts.files)]
    return [_run_line(name, timing) for name, timing in timed if timing is not None]


def _run_line(name: str, timing: Timing) -> Line:
    row = timing.row
    peak, before = row["peak_memory_bytes"], row["baseline_memory_bytes"]
    own = "" if peak is None or before is None else f"{mib(peak - before)} above the empty process"
    cells = [
        cell(ms(row["load_ms"])),
        cell(ms(row["first_run_ms"])),
        cell(ms(row["p50_ms"]), f"{ms(row['low_ms'])} to {ms(row['high_ms'])}"),
        cell(ms(row["p99_ms"])),
        cell(percent(row["spread"]).lstrip("+")),
        cell(mib(peak), own),
        cell(f"{row['repeats']} × {row['iterations']}", "time limit" * row["time_bounded"]),
    ]
    return Line(
        name, f"{row['runtime']} {row['runtime_version']}", cells, reference=name == "torch"
    )


def accuracy_columns(metrics: Sequence[str], smaller: Sequence[str]) -> list[str]:
    """Metric names with an arrow towards the better side."""
    return [f"{name} {'↓' if name in smaller else '↑'}" for name in metrics]


def accuracy_lines(facts: Facts, metrics: Sequence[str], smaller: Sequence[str]) -> list[Line]:
    """Student, teachers, then the prior; the best of each column is marked."""
    names = sorted(facts.means, key=lambda name: (name == PRIOR, name != STUDENT, name))
    tops = {
        metric: (min if metric in smaller else max)(facts.means[name][metric] for name in names)
        for metric in metrics
    }
    return [
        Line(
            _title(name),
            _notes(facts, name),
            [_mean(facts.means[name][m], tops[m]) for m in metrics],
            reference=name == PRIOR,
        )
        for name in names
    ]


def _mean(value: float, top: float) -> Cell:
    return cell(fixed(value, 4), tone="top" if value == top else "")


def _title(name: str) -> str:
    return {STUDENT: "Student", PRIOR: "Mean map"}.get(name, name[0].upper() + name[1:])


def _notes(facts: Facts, name: str) -> str:
    if name == STUDENT:
        return f"{facts.config.student.name}, torch"
    if name == PRIOR:
        return "ignores the image"
    teacher = facts.config.student.teachers.get(name.removeprefix(TEACHER))
    return teacher.model if teacher else ""
