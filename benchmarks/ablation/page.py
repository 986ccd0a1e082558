"""One page and one Markdown file: every study beside the paper's figures, never in one column."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import ChoiceLoader, FileSystemLoader
from markupsafe import Markup

from benchmarks.ablation import tables
from benchmarks.ablation.dots import Dotted, panel
from benchmarks.ablation.ledger import Entry
from benchmarks.ablation.paper import Published
from benchmarks.ablation.results import (
    SMALLER,
    SPREAD,
    Group,
    Spread,
    findings,
    groups,
    published_best,
)
from benchmarks.ablation.studies import STUDIES, Study
from pipeline.report.numbers import count
from pipeline.report.page import content_hash, environment, joined
from pipeline.report.tables import Line

HERE = Path(__file__).parent
SAMPLE = "data=sample"
"""What is measured on unless the user says otherwise."""
MODULE = "python -m benchmarks.ablation"
APART = """The paper's figures were measured on other data (SALICON 2017, MIT1003, MIT300) and after
another schedule than ours: compare the order of rows, never the values.""".replace("\n", " ")


@dataclass(frozen=True)
class Panel:
    """One metric's picture, of ours or of the paper's."""

    where: str
    picture: Markup


@dataclass(frozen=True)
class Card:
    """One metric: what was measured here, and what the paper has for it."""

    metric: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Table:
    """A table with what stands above it."""

    caption: str
    corner: str
    columns: Sequence[str]
    lines: Sequence[Line]
    note: str = ""


@dataclass(frozen=True)
class Shown:
    """One group of comparable rows, ready for print."""

    title: str
    about: str
    findings: Sequence[str]
    cautions: Sequence[str]
    table: Table
    command: str


@dataclass(frozen=True)
class Section:
    """One study."""

    study: Study
    shown: Sequence[Shown]
    published: Sequence[Table]
    shared: Sequence[Card]
    """Metrics that the paper reports, too."""
    others: Sequence[Card]
    best: str
    """Which row is best in the paper."""
    command: str
    """What would run it, where nothing was run yet."""


def render(entries: Sequence[Entry], ledger: str, page: str) -> str:
    """The page as HTML. `ledger` and `page` are for the commands it shows."""
    found, left_out = sections(entries, ledger)
    script = joined("scripts", ("theme", "sort"), "js")
    style = joined("styles", ("base", "verdict", "tables", "charts", "print"), "css")
    jinja = environment()
    assert jinja.loader is not None
    jinja.loader = ChoiceLoader([FileSystemLoader(HERE), jinja.loader])
    return jinja.get_template("page.html").render(
        sections=found,
        left_out=left_out,
        spread=SPREAD,
        apart=APART,
        arrow=lambda metric: tables.columns([metric])[0],
        runs=count(sum(entry.done for entry in entries), "run"),
        script=script,
        script_hash=content_hash(script),
        style=style + "\n" + Markup((HERE / "page.css").read_text()),
        command=f"{MODULE} --ledger {shlex.quote(ledger)} --page {shlex.quote(page)}",
    )


def markdown(entries: Sequence[Entry], ledger: str) -> str:
    """The same tables for readers of the repository."""
    found, left_out = sections(entries, ledger)
    parts = [
        "# Ablations",
        f"Means over seeds, {SPREAD}; figures without ± are of one seed. {APART}",
    ]
    for section in found:
        parts += [f"## {section.study.title}", section.study.question]
        if not section.shown:
            parts.append(f"Not run yet: `{section.command}`")
        for shown in section.shown:
            parts += [f"### Here: {shown.title}", shown.about, *shown.findings, *shown.cautions]
            parts += [_markdown(shown.table), f"Made by `{shown.command}`"]
        parts += [section.best] if section.best else []
        for table in section.published:
            parts += [f"### {table.caption}", *([table.note] if table.note else [])]
            parts.append(_markdown(table))
    parts += [f"Left out: {line}" for line in left_out]
    return "\n\n".join(parts) + "\n"


def _markdown(table: Table) -> str:
    return tables.markdown(table.corner, table.columns, table.lines)


def sections(entries: Sequence[Entry], ledger: str) -> tuple[list[Section], list[str]]:
    """Every study, with or without rows; and what the ledger holds besides, a line each."""
    found, left_out = groups(entries)
    made = []
    for study in STUDIES.values():
        own = [group for group in found if group.study is study]
        shown = [_shown(group, ledger) for group in own]
        published = [_published(table) for table in study.published]
        cards = [_card(study, own, metric) for metric in _metrics(own)]
        theirs = {column for table in study.published for column in table.columns}
        shared = [card for card in cards if card.metric in theirs]
        others = [card for card in cards if card.metric not in theirs]
        command = _command(study.name, (), (), ledger)
        best = published_best(study)
        made.append(Section(study, shown, published, shared, others, best, command))
    return made, left_out


def _shown(group: Group, ledger: str) -> Shown:
    title = _title(group)
    heads = tables.our_columns(group)
    caption = f"{group.study.title}, measured here with {title}: means, {SPREAD}"
    table = Table(caption, "Row", heads, tables.our_lines(group))
    command = _command(group.study.name, group.seeds, group.given, ledger)
    about = _about(group)
    return Shown(title, about, findings(group), _cautions(group), table, command)


def _about(group: Group) -> str:
    if not group.entries:
        return "Planned, nothing measured yet."
    images = group.entries[0].images
    roles = [f"{n:,} {role}".replace(",", " ") for role, n in images.items()]
    pictured = f"Images: {', '.join(roles)}. " if roles else ""
    seeds = ", ".join(map(str, group.seeds))
    return f"{pictured}Seeds {seeds}. Every row takes as many gradient steps, to the nearest epoch."


def _cautions(group: Group) -> list[str]:
    found = []
    missing = [r.row.title for r in group.results if not r.entries]
    if missing and group.entries:
        found.append(f"Not run: {'; '.join(missing)}.")
    numbers = {len(result.entries) for result in group.results if result.entries}
    if 1 in numbers:
        found.append("A row of a single seed has no spread: its differences may be chance.")
    if len(group.codes) > 1:
        found.append(f"Trained by {len(group.codes)} versions of the code.")
    return found


def _metrics(own: Sequence[Group]) -> list[str]:
    return list(dict.fromkeys(metric for group in own for metric in group.metrics))


def _card(study: Study, own: Sequence[Group], metric: str) -> Card:
    """Ours first, each data set in a picture of its own scale, then the paper's.

    Rows that nobody has run yet stand in the tables alone.
    """
    panels = []
    run = {r.row.key for group in own for r in group.results if r.entries}
    for group in own:
        best = group.best(metric)
        results = [r for r in group.results if r.row.key in run]
        rows = [Dotted(r.row.title, r.spread(metric), r is best) for r in results]
        panels.append((f"Here, {_short(group, own)}", panel(rows, metric, "ours")))
    for table in study.published:
        if metric not in table.columns:
            continue
        at = table.columns.index(metric)
        values = {key: figures[at] for key, figures in table.figures.items()}
        top = table.best(metric, smallest=metric in SMALLER)
        rows = [
            Dotted(row.title, Spread((values[row.key],)), row.key == top)
            for row in study.rows
            if row.key in values
        ]
        panels.append((f"The paper, {table.data}", panel(rows, metric, "paper", table.digits)))
    return Card(metric, [Panel(where, drawn) for where, drawn in panels if drawn is not None])


def _title(group: Group) -> str:
    return " ".join(group.given) or SAMPLE


def _short(group: Group, others: Sequence[Group]) -> str:
    """Its data, and what tells it from the study's other groups."""
    shared = set.intersection(*(set(other.given) for other in others))
    data = next((o for o in group.given if o.startswith("data=")), SAMPLE)
    own = [o for o in group.given if o not in shared and o != data]
    return " ".join([data, *own])


def _published(table: Published) -> Table:
    caption = f"The paper's {table.table}: {table.data}"
    heads = tables.columns(table.columns)
    return Table(caption, "In the paper", heads, tables.published_lines(table), table.remark)


def _command(study: str, seeds: Sequence[int], given: Sequence[str], ledger: str) -> str:
    chosen = ["--seeds", *map(str, seeds)] if seeds else []
    settings = [part for override in given for part in ("-S", shlex.quote(override))]
    return " ".join([MODULE, study, *chosen, *settings, "--ledger", shlex.quote(ledger)])
