"""Runs what the ledger has not: every row of the studies, seed by seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.ablation import ledger, work
from benchmarks.ablation.ledger import Entry
from benchmarks.ablation.plan import Run, composed, merged, missing, plan, refuse_own
from benchmarks.ablation.studies import Row, Study
from pipeline import provenance
from pipeline.errors import UserError
from pipeline.files import read_json


def planned(
    studies: Sequence[Study],
    rows: dict[str, list[Row]],
    given: Sequence[str],
    seeds: Sequence[int],
) -> Iterator[Run | str]:
    """Every run, all rows of a seed before the next seed; a sentence for one that cannot be.

    The images are listed first, as the budgets depend on how many there are.
    """
    for study in studies:
        refuse_own(given, rows[study.name])
    general = [override for override in given if not override.startswith("student")]
    counts = work.counts(work.data(composed(merged(general, ["teacher=salgan"]))))
    for seed in seeds:
        for study in studies:
            for row in rows[study.name]:
                reason = missing(row)
                if reason:
                    yield f"{study.name}, {row.title}: left out, {reason}"
                    continue
                try:
                    yield plan(study, row, given, seed, counts)
                except UserError as error:
                    yield f"{study.name}, {row.title}: {error}"


def execute(runs: Sequence[Run | str], path: Path) -> list[str]:
    """Train and measure what the ledger at `path` has not; what went wrong, a line each.

    A row that fails does not keep the others from running.
    """
    known = {entry.key for entry in ledger.read(path) if entry.done}
    problems = []
    for number, run in enumerate(runs, 1):
        if isinstance(run, str):
            problems.append(run)
            continue
        title = f"{run.study}, {run.row.title}, seed {run.seed}"
        if planned_entry(run).key in known:
            print(f"{title}: in {path} already", flush=True)
            continue
        print(f"{title}: {number} of {len(runs)}, epochs {dict(run.epochs)}", flush=True)
        try:
            entry = measure(run)
        except UserError as error:
            problems.append(f"{title}: {error}")
            continue
        ledger.add(path, [entry])
        shown = " ".join(f"{name} {value:.4f}" for name, value in (entry.metrics or {}).items())
        print(f"{title}: {shown}", flush=True)
    return problems


def planned_entry(run: Run) -> Entry:
    """The ledger's row of a run that is not measured yet."""
    return Entry(
        study=run.study,
        row=run.row.key,
        seed=run.seed,
        given=run.given,
        overrides=run.measured,
        config=run.config,
        epochs=run.epochs,
        steps=run.steps,
    )


def measure(run: Run) -> Entry:
    """Train and evaluate a run, as far as that is not done yet."""
    folder = work.trained(run)
    found = read_json(work.measured(run, folder) / "outputs/metrics.json")
    stamps = work.stamps(folder, list(run.epochs))
    return Entry(
        **vars(planned_entry(run))
        | {
            "metrics": found.pop("student"),
            "others": found,
            "hint_loss": work.hint_loss(folder),
            "seconds": {name: stamp["seconds"] for name, stamp in stamps.items()},
            "images": work.counts(folder),
            "code": tuple(dict.fromkeys(stamp["code"][:12] for stamp in stamps.values())),
            "versions": provenance.versions(),
        }
    )
