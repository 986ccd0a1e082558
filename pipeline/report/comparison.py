"""All artefacts side by side: charts of those that may be compared, a table of every one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.report.artefacts import Artefact, Ground, ground, grouped, merge, of_run
from pipeline.report.facts import Facts
from pipeline.report.numbers import NOTHING, fixed, mib, ms, short
from pipeline.report.pareto import unbeaten
from pipeline.report.scatter import NARROW, WIDE, scatter
from pipeline.report.tables import Cell, Line, cell

OTHERS = 6
"""Most groups of other machines or images that get a chart."""


@dataclass(frozen=True)
class View:
    """The same artefacts by one metric, drawn for wide and for narrow screens."""

    metric: str
    wide: Markup
    narrow: Markup


@dataclass(frozen=True)
class Group:
    """Artefacts that share a ground."""

    why: str
    """How its ground differs from this run's; empty for this run's own."""
    images: str
    host: str
    views: Sequence[View]


@dataclass(frozen=True)
class Comparison:
    """What the page shows of all artefacts."""

    groups: Sequence[Group]
    """This run's own first, where it has one."""
    hidden: int
    """Groups that have no chart."""
    columns: Sequence[str]
    lines: Sequence[Line]
    shelved: int
    """Artefacts that came from the shelf."""


def comparison(facts: Facts, shelf: Sequence[Artefact], metrics: Sequence[str]) -> Comparison:
    """Everything of this run, and of the shelf what has its task; the first of `metrics` leads."""
    own = facts.config.student.task
    artefacts = merge(of_run(facts), [artefact for artefact in shelf if artefact.task == own])
    here = ground(facts.roles["val"], facts.torch.row if facts.torch else None)
    groups = sorted(grouped(artefacts), key=lambda group: group[0] != here)
    drawn = [_group(facts, here, place, members, metrics) for place, members in groups]
    shown = 1 + OTHERS if drawn and not drawn[0].why else OTHERS
    return Comparison(
        groups=drawn[:shown],
        hidden=len(drawn[shown:]),
        columns=("From", *metrics, "p50, ms", "Size, MiB", "Unbeaten", "Comparable with this run"),
        lines=lines(artefacts, here, metrics),
        shelved=sum(bool(artefact.origin) for artefact in artefacts),
    )


def _group(
    facts: Facts, here: Ground, place: Ground, members: Sequence[Artefact], metrics: Sequence[str]
) -> Group:
    own = next((a for a in members if a.kind == "torch"), None)
    views = []
    for metric in metrics:
        budget = None
        if own is not None and own.metrics is not None:
            budget = own.metrics[metric].torch
            budget -= facts.config.budget.metric_loss * abs(budget)
        wide, narrow = (scatter(members, metric, size, budget) for size in (WIDE, NARROW))
        views.append(View(metric, wide, narrow))
    return Group(difference(place, here), place.images, place.host, views)


def difference(place: Ground, here: Ground) -> str:
    """Why figures of `place` may not be compared with those of `here`; empty where they may."""
    apart = []
    if place.validation != here.validation:
        apart.append("other images")
    if place.machine != here.machine:
        apart.append("another machine or protocol")
    return " and ".join(apart)


def lines(artefacts: Sequence[Artefact], here: Ground, metrics: Sequence[str]) -> list[Line]:
    """A row for every artefact, this run's first."""
    top: set[int] = set()
    for _, members in grouped(artefacts):
        top |= {id(artefact) for artefact in unbeaten(members, metrics[0])}
    return [
        Line(
            artefact.name,
            short(artefact.sha256),
            [
                cell(artefact.origin or "this run", key=artefact.origin),
                *(_accuracy(artefact, metric) for metric in metrics),
                _time(artefact),
                cell(mib(artefact.bytes), key=artefact.bytes),
                _unbeaten(artefact, id(artefact) in top),
                _comparable(artefact, here),
            ],
            reference=artefact.kind == "torch",
        )
        for artefact in artefacts
    ]


def _accuracy(artefact: Artefact, metric: str) -> Cell:
    if artefact.metrics is None:
        return cell(NOTHING)
    value = artefact.metrics[metric].file
    return cell(fixed(value, 4), key=value)


def _time(artefact: Artefact) -> Cell:
    if artefact.ms is None:
        return cell(NOTHING)
    return cell(ms(artefact.ms[0]), key=artefact.ms[0])


def _unbeaten(artefact: Artefact, top: bool) -> Cell:
    if not artefact.placed or artefact.kind == "torch":
        return cell(NOTHING)
    return cell("yes" if top else "no", key=0 if top else 1)


def _comparable(artefact: Artefact, here: Ground) -> Cell:
    if not artefact.placed:
        return cell(NOTHING, artefact.reason or "not timed", key="~")
    why = difference(artefact.ground, here)
    return cell(why or "yes", key=why)
