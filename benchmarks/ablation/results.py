"""From the rows of a ledger to means and spreads over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.ablation.ledger import Entry
from benchmarks.ablation.plan import comparable
from benchmarks.ablation.studies import STUDIES, Row, Study
from pipeline.tasks.saliency import SaliencyTask

HINT_LOSS = "hint loss"
SMALLER = (*SaliencyTask.smaller_is_better, HINT_LOSS)
ORDER = ("NSS", "CC", "KLDiv", "SIM", "AUC-Judd", "AUC-Borji", "sAUC", "IG")
"""Metrics as the literature lists them; others follow by name."""
SPREAD = "± half the range over seeds"


@dataclass(frozen=True)
class Spread:
    """One metric of one row over its seeds."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over seeds."""
        return statistics.fmean(self.values)

    @property
    def half_range(self) -> float | None:
        """Half of largest minus smallest; None for a single seed, which has no spread."""
        few = len(self.values) < 2
        return None if few else (max(self.values) - min(self.values)) / 2

    def meets(self, other: Spread) -> bool:
        """Whether the ranges of the two overlap."""
        own, theirs = sorted(self.values), sorted(other.values)
        return own[0] <= theirs[-1] and theirs[0] <= own[-1]


@dataclass(frozen=True)
class Result:
    """A row of a study with whatever was measured of it."""

    row: Row
    entries: tuple[Entry, ...]
    """By seed; only those that were measured."""
    waiting: int
    """Seeds that are planned but not measured."""

    def spread(self, metric: str) -> Spread | None:
        """Over the seeds that have `metric`."""
        found = [values[metric] for e in self.entries if metric in (values := measured(e))]
        return Spread(tuple(found)) if found else None


@dataclass(frozen=True)
class Group:
    """Rows of one study that may be compared: the same overrides by the user."""

    study: Study
    given: tuple[str, ...]
    results: tuple[Result, ...]
    """Every row of the study, in its order, measured or not."""
    metrics: tuple[str, ...]

    @property
    def entries(self) -> list[Entry]:
        """All that was measured."""
        return [entry for result in self.results for entry in result.entries]

    @property
    def seeds(self) -> list[int]:
        """Every seed that any row was measured or planned with."""
        return sorted({entry.seed for entry in self.entries})

    @property
    def codes(self) -> list[str]:
        """Versions of the code that trained the rows; several are a caution."""
        return sorted({code for entry in self.entries for code in entry.code})

    def best(self, metric: str) -> Result | None:
        """The row with the best mean, of those that have `metric`."""
        sign = -1 if metric in SMALLER else 1
        known = [(s.mean * sign, -i) for i, r in enumerate(self.results) if (s := r.spread(metric))]
        return self.results[-max(known)[1]] if known else None

    def references(self) -> dict[str, dict[str, Spread]]:
        """Teachers and the mean map by metric; one value each where all rows agree."""
        found: dict[str, dict[str, set[float]]] = {}
        for entry in self.entries:
            for name, values in entry.others.items():
                if name.startswith("student"):
                    continue  # the same row, read out otherwise
                for metric, value in values.items():
                    found.setdefault(name, {}).setdefault(metric, set()).add(value)
        return {
            name: {metric: Spread(tuple(sorted(each))) for metric, each in values.items()}
            for name, values in sorted(found.items())
        }


def measured(entry: Entry) -> Mapping[str, float]:
    """All numbers of an entry, the hint loss among them where its study counts it."""
    hinted = STUDIES[entry.study].hinted and entry.hint_loss is not None
    extra = {HINT_LOSS: entry.hint_loss} if hinted and entry.hint_loss is not None else {}
    return {**(entry.metrics or {}), **extra}


def groups(entries: Sequence[Entry]) -> tuple[list[Group], list[str]]:
    """What may be compared, in the order of the studies; and what was left out, a line each."""
    left_out = []
    known: dict[tuple[str, tuple[str, ...]], list[Entry]] = {}
    for entry in entries:
        study = STUDIES.get(entry.study)
        if study is None or entry.row not in [row.key for row in study.rows]:
            left_out.append(f"{entry.study}, {entry.row}: not a row of this version's studies")
            continue
        known.setdefault((entry.study, comparable(entry.given)), []).append(entry)
    order = list(STUDIES)
    found = [_group(STUDIES[name], given, own) for (name, given), own in known.items()]
    return sorted(found, key=lambda group: order.index(group.study.name)), left_out


def _group(study: Study, given: tuple[str, ...], entries: Sequence[Entry]) -> Group:
    results = []
    for row in study.rows:
        own = [entry for entry in entries if entry.row == row.key]
        # A setting of the profile may have changed in between: the latest of each seed counts.
        done = {entry.seed: entry for entry in own if entry.done}
        waiting = {entry.seed for entry in own} - set(done)
        by_seed = tuple(done[seed] for seed in sorted(done))
        results.append(Result(row, by_seed, len(waiting)))
    names = {name for r in results for entry in r.entries for name in measured(entry)}
    return Group(study, given, tuple(results), tuple(sorted(names, key=_rank)))


def _rank(metric: str) -> tuple[int, str]:
    return (ORDER.index(metric) if metric in ORDER else len(ORDER), metric)


def findings(group: Group) -> list[str]:
    """What the numbers say, a sentence per metric that the paper has, too (else NSS and CC)."""
    theirs = {column for table in group.study.published for column in table.columns}
    shared = [m for m in group.metrics if m in theirs] or list(ORDER[:2])
    return [text for metric in shared if (text := _finding(group, metric))]


def _finding(group: Group, metric: str) -> str | None:
    best = group.best(metric)
    known = [r for r in group.results if r.spread(metric)]
    if best is None or len(known) < 2:
        return None
    top: Any = best.spread(metric)
    text = f"By {metric} the best mean here is {best.row.title}, {shown(top)}"
    several = [
        r for r in known if r is not best and _several(r, metric) and top.meets(_s(r, metric))
    ]
    if len(top.values) < 2:
        text += ", a single run: nothing says how much of that is chance"
    elif several:
        text += f"; the range of {_listed([r.row.title for r in several])} overlaps with its own"
    else:
        text += "; no other row's range reaches its own"
    return f"{text}."


def _several(result: Result, metric: str) -> bool:
    return len(_s(result, metric).values) > 1


def _s(result: Result, metric: str) -> Spread:
    found = result.spread(metric)
    assert found is not None
    return found


def published_best(study: Study) -> str:
    """Which row is best in the paper, by each metric that ours have, too."""
    texts: dict[str, list[str]] = {}
    for table in study.published:
        for metric in (name for name in table.columns if name in (*ORDER, HINT_LOSS)):
            key = table.best(metric, smallest=metric in SMALLER)
            figure = table.shown(key, metric)
            texts.setdefault(key, []).append(f"{metric} {figure} on {table.data}")
    said = [f"{study.row(key).title} ({'; '.join(found)})" for key, found in texts.items()]
    return f"The paper's best: {', '.join(said)}." if said else ""


def shown(spread: Spread, digits: int = 4) -> str:
    """`mean ± half the range`, the mean alone for a single seed."""
    text = f"{spread.mean:.{digits}f}"
    return text if spread.half_range is None else f"{text} ± {spread.half_range:.{digits}f}"


def _listed(names: Sequence[str]) -> str:
    *first, last = [f"“{name}”" for name in names]
    return f"{', '.join(first)} and {last}" if first else last
