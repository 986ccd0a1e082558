"""The page from the facts: one HTML file with its style, script, charts and pictures inside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline import tasks
from pipeline.report import (
    by_class,
    hard,
    lineage,
    making,
    mistaken,
    overlay,
    tables,
    training,
    verdict,
)
from pipeline.report.artefacts import Artefact
from pipeline.report.comparison import Comparison, comparison
from pipeline.report.curves import PhaseCurves
from pipeline.report.facts import STUDENT, Facts, Timing
from pipeline.report.flow import flow
from pipeline.report.gallery import Gallery
from pipeline.report.inspected import COLUMNS, inspected_lines
from pipeline.report.numbers import fixed, signed
from pipeline.report.precision import precision_charts
from pipeline.report.rail import rail

HERE = Path(__file__).parent
TEMPLATE = "report.html"
ACROSS = 6
"""Most pictures of an image beside each other."""
STYLES = ("base", "verdict", "tables", "charts", "pictures", "compare", "print")
SCRIPTS = ("theme", "sort", "tips", "compare")
"""In the order they apply."""


def render(
    facts: Facts,
    curves: Sequence[PhaseCurves],
    shown: Gallery,
    shelf: Sequence[Artefact] = (),
    unreadable: Sequence[str] = (),
) -> str:
    """The whole page. The same arguments give the same text."""
    task = tasks.of(facts.config.student)
    compared = comparison(facts, shelf, task.gated[::-1])
    script = joined("scripts", SCRIPTS, "js")
    found = lineage.graph(facts)
    parts: dict[str, Any] = {
        "facts": facts,
        "student": facts.config.student.name,
        "style": joined("styles", STYLES, "css"),
        "script": script,
        "script_hash": content_hash(script),
        "contents": contents(compared, curves),
        "commands_of": making.COMMANDS,
        "verdict": verdict.verdict(facts),
        "others": verdict.others(facts.files),
        "standing": verdict.standing(facts),
        "passes": verdict.passes(facts.files),
        "figures": verdict.figures(facts),
        "problems": problems(facts),
        "machine": machine(facts.torch, facts),
        "comparison": compared,
        "unplaced": any(not file.executed or file.untimed for file in facts.files),
        "unreadable": unreadable,
        "overview": training.overview(curves),
        "phases": training.phase_charts(curves),
        "flow": flow(found),
        "rail": rail(found),
    }
    words = {
        "gated": " and ".join(task.gated),
        "watched": "fixations" in task.needs,
        "of_images": "target" in task.needs,
        "together": " and ".join(task.over_all),
    }
    filled = parts | words | _tables(facts) | _pictures(shown)
    return environment().get_template(TEMPLATE).render(filled)


def _tables(facts: Facts) -> dict[str, Any]:
    task = tasks.of(facts.config.student)
    smaller = task.smaller_is_better
    metrics = [name for name in (*task.metrics, *task.over_all) if name in facts.means[STUDENT]]
    return {
        "file_columns": tables.file_columns(facts),
        "file_lines": tables.file_lines(facts) if facts.files else [],
        "inspected_columns": COLUMNS,
        "inspected_lines": inspected_lines(facts),
        "hard_columns": hard.columns(facts),
        "hard_lines": hard.hard_lines(facts),
        "hardness": hard.explained(facts),
        "run_columns": tables.RUN_COLUMNS,
        "run_lines": tables.run_lines(facts),
        "accuracy_columns": tables.accuracy_columns(metrics, smaller),
        "accuracy_lines": tables.accuracy_lines(facts, metrics, smaller),
        "class_columns": by_class.columns(facts),
        "class_lines": by_class.class_lines(facts),
        "class_title": by_class.KINDS[by_class.kind()],
        "class_note": by_class.NOTES[by_class.kind()],
        "mistaken_columns": mistaken.COLUMNS,
        "mistaken_lines": mistaken.mistaken_lines(),
        "precision": precision_charts(facts),
        "phase_columns": making.PHASE_COLUMNS,
        "phase_entries": making.phase_entries(facts.config),
        "data_columns": making.DATA_COLUMNS,
        "data_entries": making.data_entries(facts.roles),
        "settings": making.settings(facts),
        "commands": making.commands(facts.config),
    }


def _pictures(shown: Gallery) -> dict[str, Any]:
    ends = [
        {
            "metric": end.metric,
            "best": end.best,
            "best_value": fixed(end.best_value),
            "worst": end.worst,
            "worst_value": fixed(end.worst_value),
        }
        for end in shown.extremes
    ]
    drops = [
        {
            "title": file.title,
            "image": drop.image,
            "metric": drop.metric,
            "torch": fixed(drop.torch),
            "file": fixed(drop.file),
            "difference": signed(drop.difference),
        }
        for file, drop in shown.drops
    ]
    numbers = {row.shot.id: number for number, row in enumerate(shown.rows, 1)}
    legend = overlay.legend()
    listed = [sum(layer.listed for layer in row.shot.layers) for row in shown.rows]
    return {
        "gallery": shown,
        "across": min(ACROSS, 1 + max(listed, default=0)),
        "extremes": ends,
        "drops": drops,
        "numbers": numbers,
        "legend": legend,
        "keys": shown.keys,
    }


def contents(compared: Comparison, curves: Sequence[PhaseCurves]) -> list[tuple[str, str]]:
    """Sections of the page: id and title."""
    trade = [("trade", "Accuracy, time, size")] * bool(compared.groups or compared.shelved)
    curved = [("training", "Training")] * bool(curves)
    return [
        ("verdict", "Verdict"),
        ("files", "Exported files"),
        *trade,
        ("compare", "Side by side"),
        ("pictures", "Best and worst"),
        *curved,
        ("accuracy", "Accuracy in torch"),
        ("lineage", "Lineage"),
        ("making", "How it was made"),
    ]


def joined(folder: str, names: Sequence[str], suffix: str) -> Markup:
    """Files of this package one after the other, as they are."""
    texts = [(HERE / folder / f"{name}.{suffix}").read_text() for name in names]
    return Markup("\n".join(texts))  # noqa: S704 - our own files, not input


def content_hash(script: str) -> str:
    """What the page's policy calls the only script that may run."""
    digest = hashlib.sha256(script.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode()


def environment() -> Environment:
    """Templates of this package; everything is escaped that is not markup of our own."""
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
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
        if not file.executed or file.untimed:
            continue
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
