"""Rows of the page's tables, already in words and digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline import tasks
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

BOUNDLESS = 1e9
"""Sorts a file without any error above all decibels."""


@dataclass(frozen=True)
class Cell:
    """A value and what qualifies it."""

    value: str
    notes: Sequence[str] = ()
    tone: str = ""
    """`good`, `bad` or nothing."""
    key: float | str | None = None
    """What a column is sorted by; None comes last."""

    @property
    def empty(self) -> bool:
        """Whether it says nothing."""
        return self.value == NOTHING and not self.notes


@dataclass(frozen=True)
class Line:
    """A row: what it is about, and its cells."""

    title: str
    note: str
    cells: Sequence[Cell]
    reference: bool = False
    colour: str = ""
    """Of a swatch before the title; empty for none."""


def shown(facts: Facts) -> tuple[str, ...]:
    """Metrics that files are shown by: those that a budget limits the loss of."""
    return tasks.of(facts.config.student).gated


def file_columns(facts: Facts) -> tuple[str, ...]:
    """Heads of the files' table."""
    fidelity = ("Logit error", "CC with torch", "SQNR, dB", "Delegated")
    return ("Budgets", "Size, MiB", "Time / torch", *shown(facts), *fidelity)


def cell(value: str, *notes: str, tone: str = "", key: float | str | None = None) -> Cell:
    """A cell; empty notes are dropped."""
    return Cell(value, [note for note in notes if note], tone, key)


def file_lines(facts: Facts) -> list[Line]:
    """Torch as the reference, then every file."""
    means = facts.means[STUDENT]
    timing = facts.torch
    torch = Line(
        "torch",
        "float32, eager",
        [
            cell("reference"),
            cell(mib(facts.checkpoint_bytes), "weights"),
            _ratio(timing, 1.0),
            *(cell(fixed(_torch_mean(facts, name, means), 4)) for name in shown(facts)),
            *(cell(NOTHING),) * 4,
        ],
        reference=True,
    )
    return [torch, *(_file_line(file, shown(facts)) for file in facts.files)]


def _state(file: File) -> Cell:
    if not file.problems and not file.executed:
        return cell("not executed", key=1)
    if not file.problems:
        return cell("met", tone="good", key=0)
    return cell(f"{len(file.problems)} broken", tone="bad", key=1 + len(file.problems))


def _torch_mean(facts: Facts, name: str, means: Mapping[str, float]) -> float:
    executed = [file for file in facts.files if file.executed]
    return executed[0].metrics[name].torch if executed else means[name]


def _file_line(file: File, metrics: Sequence[str]) -> Line:
    note = f"{file.recipe}, {short(file.sha256)}"
    if file.untimed:
        note += f", by the {file.executor}"
    parity = file.parity
    if parity is None:
        size = [_state(file), cell(mib(file.bytes), key=file.bytes)]
        unknown = (cell(NOTHING),) * (len(metrics) + 5)
        return Line(file.title, note, [*size, *unknown])
    cells = [
        _state(file),
        cell(mib(file.bytes), key=file.bytes),
        cell(NOTHING, "not timed here") if file.untimed else _ratio(file.timing),
        *(_loss(file.metrics[name]) for name in metrics),
        cell(scientific(parity["max_abs_max"]), "largest", key=parity["max_abs_max"]),
        cell(correlation(parity["cc_min"]), "least", key=parity["cc_min"]),
        _sqnr(parity["sqnr_db_mean"], parity["sqnr_db_min"]),
        _delegated(file),
    ]
    return Line(file.title, note, cells)


def _ratio(timing: Timing | None, own: float | None = None) -> Cell:
    """Time relative to torch, `own` for torch itself, above the milliseconds."""
    if timing is None:
        return cell(NOTHING, "not measured")
    median = f"{ms(timing.row['p50_ms'])} ms"
    if own is not None:
        return cell(ratio(own), median, key=own)
    if timing.ratio is None:
        return cell(NOTHING, median, "not comparable")
    interval = f"{fixed(timing.low, 2)} to {fixed(timing.high, 2)}"
    return cell(ratio(timing.ratio), median, interval, key=timing.ratio)


def _loss(loss: Loss) -> Cell:
    interval = f"[{signed(loss.low)}, {signed(loss.high)}]"
    return cell(fixed(loss.file, 4), signed(loss.difference), interval, key=loss.file)


def _sqnr(mean: float | None, least: float | None) -> Cell:
    if mean is None:
        return cell("no error", key=BOUNDLESS)
    return cell(fixed(mean, 1), f"least {fixed(least, 1)}", key=mean)


def _delegated(file: File) -> Cell:
    if file.delegated is None or not file.nodes:
        return cell(NOTHING, "decided at load")
    partitions = "1 partition" if file.partitions == 1 else f"{file.partitions} partitions"
    return cell(f"{file.delegated}/{file.nodes}", partitions, key=file.delegated / file.nodes)


RUN_COLUMNS = (
    "Load, ms",
    "First run, ms",
    "p50, ms",
    "p90, ms",
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
    own = "" if peak is None or before is None else f"{mib(peak - before)} above empty"
    times = [(row[f"{name}_ms"], "") for name in ("load", "first_run", "p50", "p90", "p99")]
    times[2] = (row["p50_ms"], f"{ms(row['low_ms'])} to {ms(row['high_ms'])}")
    runs = f"{row['repeats']} × {row['iterations']}"
    cells = [
        *(cell(ms(value), note, key=value) for value, note in times),
        cell(percent(row["spread"]).lstrip("+"), key=row["spread"]),
        cell(mib(peak), own, key=peak),
        cell(runs, "time limit" * row["time_bounded"], key=row["repeats"] * row["iterations"]),
    ]
    return Line(
        name, f"{row['runtime']} {row['runtime_version']}", cells, reference=name == "torch"
    )


def accuracy_columns(metrics: Sequence[str], smaller: Sequence[str]) -> list[str]:
    """Metric names with an arrow towards the better side."""
    return [f"{name} {'↓' if name in smaller else '↑'}" for name in metrics]


def predictors(facts: Facts) -> list[str]:
    """Student, other readings of it, teachers, then the prior."""
    return sorted(facts.means, key=lambda name: (name == PRIOR, name != STUDENT, name))


def accuracy_lines(facts: Facts, metrics: Sequence[str], smaller: Sequence[str]) -> list[Line]:
    """Student, teachers, then the prior; the best of each column is marked."""
    names = predictors(facts)
    tops = {
        metric: (min if metric in smaller else max)(facts.means[name][metric] for name in names)
        for metric in metrics
    }
    return [
        Line(
            predictor_title(facts, name),
            _notes(facts, name),
            [_mean(facts.means[name][m], tops[m]) for m in metrics],
            reference=name == PRIOR,
        )
        for name in names
    ]


def _mean(value: float, top: float) -> Cell:
    return cell(fixed(value, 4), tone="top" if value == top else "", key=value)


def predictor_title(facts: Facts, name: str) -> str:
    """A predictor as tables and charts call it."""
    prior = tasks.of(facts.config.student).prior_title
    return {STUDENT: "Student", PRIOR: prior}.get(name, name[0].upper() + name[1:])


def _notes(facts: Facts, name: str) -> str:
    if name == STUDENT:
        return f"{facts.config.student.name}, torch"
    if name == PRIOR:
        return "ignores the image"
    teacher = facts.config.student.teachers.get(name.removeprefix(TEACHER))
    return teacher.model if teacher else ""
