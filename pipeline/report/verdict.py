"""What the numbers amount to, in sentences that are computed, never written beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.report.facts import PRIOR, STUDENT, TEACHER, Facts, File, best
from pipeline.report.numbers import count, fixed, mib, ms, percent, ratio, signed
from pipeline.report.tables import predictor_title, shown


@dataclass(frozen=True)
class Figure:
    """One number that deserves large type."""

    name: str
    value: str
    unit: str
    note: str


@dataclass(frozen=True)
class Pass:
    """How one file stands to its budgets."""

    title: str
    said: str
    tone: str
    """`good`, `bad` or `open`."""


def passes(files: Sequence[File]) -> list[Pass]:
    """Every file: within its budgets, what it breaks, or why that is not known."""
    found = []
    for file in files:
        if file.problems:
            found.append(Pass(file.title, "; ".join(map(_brief, file.problems)), "bad"))
        elif not file.executed:
            found.append(Pass(file.title, f"not executed here: {file.reason}", "open"))
        else:
            by = f", by the {file.executor}, not timed" if file.untimed else ""
            found.append(Pass(file.title, f"within every budget{by}", "good"))
    return found


def _brief(problem: str) -> str:
    """A problem without its advice, which stands below the table."""
    return problem.partition(";")[0].partition(", more than")[0]


def verdict(facts: Facts) -> str:
    """One sentence on the file to ship, or on the student while there is no file."""
    file = best(facts.files)
    if file is None:
        return "No exported file has been measured yet."
    time = "no comparable time"
    if file.timing and file.timing.ratio is not None:
        time = f"{ratio(file.timing.ratio)} torch’s time"
    metric = shown(facts)[-1]
    loss = file.metrics[metric]
    lost = f"{metric} {signed(loss.difference)}"
    if loss.relative is not None:
        lost += f" ({percent(loss.relative)})"
    return f"{file.title}: {mib(file.bytes)} MiB, {time}, {lost}, {state(file)}."


def state(file: File) -> str:
    """Whether a file keeps within every bound."""
    number = len(file.problems)
    return "all budgets met" if not number else f"{count(number, 'budget')} broken"


def others(files: Sequence[File]) -> str:
    """How many of several executed files are within every budget, and which are not."""
    files = [file for file in files if file.executed]
    if len(files) < 2:
        return ""
    broken = [file.title for file in files if file.problems]
    if not broken:
        return f"All {len(files)} files meet every budget."
    met = len(files) - len(broken)
    verb = "does" if len(broken) == 1 else "do"
    return f"{met} of {len(files)} files meet every budget; {' and '.join(broken)} {verb} not."


def unexecuted(files: Sequence[File]) -> list[tuple[str, str]]:
    """Title of each file that was not run, and why."""
    return [
        (file.title, f"not executed on this machine: {file.reason}")
        for file in files
        if not file.executed
    ]


def standing(facts: Facts) -> str:
    """The student, in torch, against the prior and each teacher."""
    metric = shown(facts)[-1]
    own = facts.means[STUDENT][metric]
    parts = [
        f"In torch the student reaches {metric} {fixed(own)} on {count(facts.images, 'image')}"
    ]
    if PRIOR in facts.means:
        parts.append(f"{_gap(own, facts.means[PRIOR][metric])} a map that ignores the image")
    for name in _teachers(facts):
        theirs = facts.means[name][metric]
        parts.append(f"{_gap(own, theirs)} {name} ({fixed(theirs)})")
    return ", ".join(parts) + "."


def figures(facts: Facts) -> list[Figure]:
    """The numbers in large type: of the file to ship where there is one, else of the student."""
    file = best(facts.files)
    if file is None:
        means = facts.means[STUDENT]
        return [
            Figure(name, fixed(value), "", _against_prior(facts, name))
            for name, value in ((name, means[name]) for name in shown(facts)[::-1])
        ]
    weights = mib(facts.checkpoint_bytes)
    found = [Figure("Size", mib(file.bytes), "MiB", f"float32 weights {weights} MiB")]
    if file.timing and facts.torch and file.timing.ratio is not None:
        note = f"{ms(file.timing.row['p50_ms'])} ms here, torch {ms(facts.torch.row['p50_ms'])} ms"
        found.append(Figure("Time", ratio(file.timing.ratio), "of torch", note))
    for name in shown(facts)[::-1]:
        loss = file.metrics[name]
        note = f"{signed(loss.difference)} against torch"
        found.append(Figure(name, fixed(loss.file), "", note))
    if file.partitions is not None:
        note = f"in {count(file.partitions, 'partition')} of {file.delegate}"
        found.append(Figure("Delegated", f"{file.delegated}/{file.nodes}", "nodes", note))
    return found


def _gap(own: float, theirs: float) -> str:
    return f"{fixed(abs(own - theirs))} {'above' if own >= theirs else 'below'}"


def _teachers(facts: Facts) -> list[str]:
    return sorted(name for name in facts.means if name.startswith(TEACHER))


def _against_prior(facts: Facts, metric: str) -> str:
    if PRIOR not in facts.means:
        return "student, in torch"
    return f"{predictor_title(facts, PRIOR).lower()} {fixed(facts.means[PRIOR][metric])}"
