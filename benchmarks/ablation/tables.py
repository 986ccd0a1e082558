"""Tables of a study, the same for the page and for Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.ablation.ledger import Entry
from benchmarks.ablation.paper import Published
from benchmarks.ablation.results import SMALLER, Group, Result, Spread
from pipeline.report.numbers import MINUS, NOTHING, fixed, grouped
from pipeline.report.tables import Cell, Line, cell


def columns(metrics: Iterable[str]) -> list[str]:
    """Metrics with an arrow to their better side."""
    return [f"{name} {'↓' if name in SMALLER else '↑'}" for name in metrics]


def our_columns(group: Group) -> list[str]:
    """Of the table of what was measured here."""
    return [*columns(group.metrics), "Seeds", "Steps"]


def our_lines(group: Group) -> list[Line]:
    """Teachers and the mean map for reference, then every row of the study."""
    references = [
        Line(name, "", [*_cells(values, group), *(cell(NOTHING),) * 2], reference=True)
        for name, values in group.references().items()
    ]
    return [*references, *(_line(group, result) for result in group.results)]


def _line(group: Group, result: Result) -> Line:
    spreads = {name: result.spread(name) for name in group.metrics}
    best = {name for name in group.metrics if group.best(name) is result}
    seeds = cell(str(len(result.entries)), key=len(result.entries))
    if result.waiting:
        seeds = cell(str(len(result.entries)), f"{result.waiting} waiting", key=0)
    made = cell(_steps(result.entries), *_epochs(result.entries))
    cells = [*_cells({k: v for k, v in spreads.items() if v}, group, best), seeds, made]
    return Line(result.row.title, result.row.note, cells)


def _cells(values: Mapping[str, Spread], group: Group, best: Iterable[str] = ()) -> list[Cell]:
    found = []
    for name in group.metrics:
        spread = values.get(name)
        if spread is None:
            found.append(cell(NOTHING))
            continue
        half = spread.half_range
        note = "" if half is None else f"± {half:.4f}"
        tone = "top" if name in best else ""
        found.append(cell(fixed(spread.mean, 4), note, tone=tone, key=spread.mean))
    return found


def _epochs(entries: Sequence[Entry]) -> list[str]:
    """Epochs of each phase; of several trainings apart where they differ."""
    found = dict.fromkeys(tuple(entry.epochs.items()) for entry in entries)
    return [f"{name} {count}" for phases in found for name, count in phases]


def _steps(entries: Sequence[Entry]) -> str:
    return " / ".join(dict.fromkeys(grouped(entry.steps) for entry in entries)) or NOTHING


def published_lines(table: Published) -> list[Line]:
    """The paper's rows, its best of each column marked."""
    best = {name: table.best(name, smallest=name in SMALLER) for name in table.columns}
    lines = []
    for key, title in table.titles.items():
        tones = ["top" if best[name] == key else "" for name in table.columns]
        figures = [table.shown(key, name) for name in table.columns]
        lines.append(
            Line(title, "", [cell(f, tone=t) for f, t in zip(figures, tones, strict=True)])
        )
    return lines


def markdown(corner: str, heads: Sequence[str], lines: Sequence[Line]) -> str:
    """A table as Markdown."""
    rows = [f"| {corner} | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for row in lines:
        title = f"{row.title} ({row.note})" if row.note else row.title
        cells = [" ".join([c.value, *c.notes]).replace(MINUS, "-") for c in row.cells]
        rows.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(rows)
