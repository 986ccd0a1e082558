"""Write the report: one page that says how good, how fast and how large each exported file is."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from mobile import manifest, recipes
from mobile.export import ExportReport
from mobile.latency import EAGER
from mobile.latency_row import LatencyRow, compare_rows, read_lines
from pipeline import shelf
from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.files import atomic_write_text, read_json
from pipeline.paths import BUNDLE, CHECK, EXPORTS, HOST, LATENCY_ROWS, REPORT
from pipeline.report.artefacts import Artefact, of_bundle
from pipeline.report.curves import all_curves
from pipeline.report.facts import Facts, File, Timing
from pipeline.report.gallery import gallery
from pipeline.report.page import render
from pipeline.report.read import base, digests, exported
from pipeline.stages.entry import stage

PAGE = REPORT / "report.html"


@stage
def main(config: Config) -> None:
    """Write outputs/report/report.html."""
    text = build(config)
    atomic_write_text(PAGE, text)
    print(f"report: {PAGE}, {len(text.encode()) / 2**20:.1f} MiB")


def build(config: Config) -> str:
    """The page as text; a workspace without exports gives one that says so."""
    facts = gather(config)
    return render(facts, all_curves(config.student), gallery(facts), *shelved())


def gather(config: Config) -> Facts:
    """Training and evaluation, and whatever has been exported, checked and timed since."""
    facts = base(config)
    rows = read_lines(LATENCY_ROWS) if LATENCY_ROWS.exists() else []
    torch = next((row for row in rows if row.recipe == EAGER), None)
    names = [name for name in config.export.recipes if (CHECK / f"{name}.json").exists()]
    facts = dataclasses.replace(
        facts,
        files=[read_file(name, rows, torch) for name in names],
        torch=None if torch is None else Timing(torch.row()),
        host=read_json(HOST) if HOST.exists() else None,
    )
    return with_bundle(facts)


def read_file(name: str, rows: Sequence[LatencyRow], torch: LatencyRow | None) -> File:
    """One recipe's file."""
    export = dataclasses.asdict(ExportReport.read(EXPORTS / name / "export.json"))
    row = next((row for row in rows if row.recipe == name), None)
    timing = None if row is None else compare(row, torch)
    checked = read_json(CHECK / f"{name}.json")
    return exported(export, checked, recipes.get(name).summary, timing)


def compare(row: LatencyRow, torch: LatencyRow | None) -> Timing:
    """A row beside torch's, or why it cannot stand there."""
    if torch is None:
        return Timing(row.row(), refused="torch was not timed in the same run")
    try:
        found = compare_rows(row, torch)
    except UserError as error:
        return Timing(row.row(), refused=str(error))
    return Timing(row.row(), found.ratio, found.low, found.high)


def with_bundle(facts: Facts) -> Facts:
    """Hashes and versions from the bundle, where there is one."""
    if not (BUNDLE / manifest.NAME).exists():
        return facts
    content: dict[str, Any] = manifest.load(BUNDLE)
    versions = {**facts.versions, **content["versions"]}
    known = {**facts.digests, **digests(content["lineage"])}
    return dataclasses.replace(facts, digests=known, versions=versions)


def shelved() -> tuple[list[Artefact], list[str]]:
    """Every file on the shelf, and a line for each entry that cannot be read."""
    found: list[Artefact] = []
    refused = []
    for entry in shelf.entries():
        key = f"{entry.parent.name}/{entry.name}"
        try:
            found += of_bundle(manifest.load(entry / "bundle"), key)
        except UserError as error:
            refused.append(f"{key}: {str(error).replace(str(entry), key)}")
        except (KeyError, TypeError, AttributeError) as error:
            refused.append(f"{key}: its manifest lacks what this page needs ({error})")
    return found, refused


if __name__ == "__main__":
    main()
