"""Runs what the ledger has not: every row of a study, all rows of a seed before the next."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.ablation import ledger, work
from benchmarks.ablation.ledger import Entry
from benchmarks.ablation.plan import Run, comparable, composed, merged, steps
from benchmarks.ablation.studies import Row
from benchmarks.architectures.studies import Study
from pipeline import provenance
from pipeline.errors import UserError
from pipeline.files import read_json, sha256_json


def runs(
    study: Study, rows: Sequence[Row], given: Sequence[str], seeds: Sequence[int]
) -> Iterator[Run]:
    """Complete overrides of every row and seed; all rows have one budget, that of the profile."""
    for seed in seeds:
        for row in rows:
            overrides = merged(study.base, given, row.overrides, [f"seed={seed}"])
            settings = composed(overrides)
            counts = work.counts(work.data(settings))
            yield Run(
                study.name,
                row,
                seed,
                comparable(given),
                overrides,
                {name: phase.epochs for name, phase in settings.config.student.phases.items()},
                steps(settings.config, counts),
                sha256_json([settings.tree[k] for k in ("data", "sample", "student", "seed")]),
            )


def execute(
    study: Study,
    rows: Sequence[Row],
    given: Sequence[str],
    seeds: Sequence[int],
    path: Path,
    apart: Sequence[str] = (),
) -> list[str]:
    """Train and measure what the ledger at `path` lacks; what went wrong, a line each."""
    known = {entry.key for entry in ledger.read(path) if entry.done}
    problems = []
    for run in runs(study, rows, given, seeds):
        title = f"{study.name}, {run.row.title}, seed {run.seed}"
        if (run.study, run.row.key, run.seed, run.config) in known:
            print(f"{title}: in {path} already", flush=True)
            continue
        try:
            entry = measure(run, apart)
        except UserError as error:
            problems.append(f"{title}: {error}")
            continue
        ledger.add(path, [entry])
        shown = " ".join(f"{name} {value:.4f}" for name, value in (entry.metrics or {}).items())
        print(f"{title}: {shown}", flush=True)
    return problems


def measure(run: Run, apart: Sequence[str] = ()) -> Entry:
    """Train and evaluate a run, as far as that is not done yet.

    `apart`: beginnings of image ids whose own means are kept, too.
    """
    folder = work.trained(run)
    outputs = work.measured(run, folder) / "outputs"
    found = read_json(outputs / "metrics.json")
    rows = read_json(outputs / "evaluate/per_image.json")["student"]
    stamps = work.stamps(folder, list(run.epochs))
    return Entry(
        study=run.study,
        row=run.row.key,
        seed=run.seed,
        given=run.given,
        overrides=run.overrides,
        config=run.config,
        epochs=run.epochs,
        steps=run.steps,
        metrics=found.pop("student"),
        others=found | {f"images {name}*": means(rows, name) for name in apart},
        seconds={name: stamp["seconds"] for name, stamp in stamps.items()},
        images=work.counts(folder),
        code=tuple(dict.fromkeys(stamp["code"][:12] for stamp in stamps.values())),
        versions=provenance.versions(),
    )


def means(rows: Sequence[Mapping[str, str | float | None]], prefix: str) -> dict[str, float]:
    """Means over the images whose id begins with `prefix`. Raises `UserError` for none."""
    own = [row for row in rows if str(row["id"]).startswith(prefix)]
    if not own:
        raise UserError(f"no validation image's id begins with {prefix!r}; see --apart")
    names = [name for name in own[0] if name != "id"]
    values = {name: [v for r in own if isinstance(v := r[name], float)] for name in names}
    return {name: round(statistics.fmean(v), 5) for name, v in values.items() if v}
