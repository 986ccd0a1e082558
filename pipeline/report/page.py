"""The page from the facts: one HTML file with its style, charts and pictures inside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline import tasks
from pipeline.report import making, overlay, scatter, tables, training, verdict
from pipeline.report.curves import PhaseCurves
from pipeline.report.facts import Facts, Timing
from pipeline.report.gallery import Row
from pipeline.report.numbers import short

TEMPLATE = "template.html"


def render(facts: Facts, curves: Sequence[PhaseCurves], rows: Sequence[Row]) -> str:
    """The whole page. The same arguments give the same text."""
    task = tasks.get(facts.config.student.task)
    points = scatter.bubbles(facts)
    budget = facts.config.budget.metric_loss
    return (
        environment()
        .get_template(TEMPLATE)
        .render(
            facts=facts,
            student=facts.config.student.name,
            verdict=verdict.verdict(facts),
            others=verdict.others(facts.files),
            standing=verdict.standing(facts),
            figures=verdict.figures(facts),
            lineage=[(name, short(digest), digest) for name, digest in facts.lineage],
            file_columns=tables.FILE_COLUMNS,
            file_lines=tables.file_lines(facts) if facts.files else [],
            run_columns=tables.RUN_COLUMNS,
            run_lines=tables.run_lines(facts),
            problems=problems(facts),
            machine=machine(facts.torch, facts),
            accuracy_columns=tables.accuracy_columns(task.metrics, task.smaller_is_better),
            accuracy_lines=tables.accuracy_lines(facts, task.metrics, task.smaller_is_better),
            scatter=scatter.scatter(points, "CC", budget) if points else None,
            phases=training.phase_charts(curves),
            rows=rows,
            legend=overlay.legend(),
            phase_columns=making.PHASE_COLUMNS,
            phase_entries=making.phase_entries(facts.config),
            data_columns=making.DATA_COLUMNS,
            data_entries=making.data_entries(facts.roles),
            settings=making.settings(facts),
            commands=making.commands(facts.config),
        )
    )


def environment() -> Environment:
    """Templates of this package; everything is escaped that is not markup of our own."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def problems(facts: Facts) -> list[tuple[str, str]]:
    """What breaks a budget or could not be compared: the file and the reason."""
    found = []
    for file in facts.files:
        found += [(file.title, problem) for problem in file.problems]
        if file.timing is None:
            found.append((file.title, "its latency was not measured; run `dvc repro latency`"))
        elif file.timing.refused:
            found.append((file.title, file.timing.refused))
    return found


def machine(timing: Timing | None, facts: Facts) -> str:
    """Where the milliseconds come from."""
    if timing is None:
        return ""
    row = timing.row
    threads = "1 thread" if row["threads"] == 1 else f"{row['threads']} threads"
    pinned = "not pinned"
    if row["affinity"] is not None:
        pinned = f"pinned to processors {', '.join(map(str, row['affinity']))}"
    text = (
        f"{row['device']}, {threads} {pinned}, {row['os']}, clocks {row['clocks']}, "
        f"fingerprint {row['host']}"
    )
    if facts.host is not None and facts.host["fingerprint"] != row["host"]:
        text += f"; the host that built this page is another one ({facts.host['fingerprint']})"
    return text
