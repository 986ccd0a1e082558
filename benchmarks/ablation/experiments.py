"""The same runs as DVC experiments: queued here, run by `dvc queue start`, collected afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.ablation import ledger
from benchmarks.ablation.plan import Run
from benchmarks.ablation.run import planned_entry
from pipeline.errors import UserError

METRICS = "outputs/metrics.json"
DVC = (sys.executable, "-m", "dvc")


def command(run: Run) -> list[str]:
    """What queues a run; `dvc` itself comes before it."""
    settings = [part for override in run.measured for part in ("-S", override)]
    return ["exp", "run", "--queue", "-n", run.name, *settings]


def queue(runs: Sequence[Run | str], path: Path) -> list[str]:
    """Queue what the ledger at `path` neither has nor waits for; what went wrong, a line each.

    Each becomes a row without metrics there, which `collect` completes.
    """
    known = {entry.key for entry in ledger.read(path)}
    problems = []
    for run in runs:
        if isinstance(run, str):
            problems.append(run)
            continue
        entry = replace(planned_entry(run), experiment=run.name)
        if entry.key in known:
            print(f"{run.name}: in {path} already", flush=True)
            continue
        done = subprocess.run([*DVC, *command(run)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            problems.append(f"{run.name}: {_said(done.stderr)}")
            continue
        ledger.add(path, [entry])
        print(f"queued {run.name}", flush=True)
    return problems


def collect(path: Path) -> tuple[int, list[str]]:
    """Complete the rows of the ledger at `path` that wait for experiments which have ended.

    Returns how many were completed, and the experiments that are not done.
    """
    waiting = [e for e in ledger.read(path) if e.experiment is not None and not e.done]
    if not waiting:
        return 0, []
    shown = subprocess.run([*DVC, "exp", "show", "--json"], capture_output=True, text=True,
                           check=False)  # fmt: skip
    if shown.returncode != 0:
        raise UserError(f"dvc exp show failed: {_said(shown.stderr)}")
    found = finished(json.loads(shown.stdout))
    ended = [complete(e, found[e.experiment]) for e in waiting if e.experiment in found]
    if ended:
        ledger.add(path, ended)
    return len(ended), [str(e.experiment) for e in waiting if e.experiment not in found]


def complete(entry: ledger.Entry, metrics: Mapping[str, Mapping[str, float]]) -> ledger.Entry:
    """`entry` with what its experiment measured, as in metrics.json."""
    others = {name: dict(values) for name, values in metrics.items() if name != "student"}
    return replace(entry, metrics=dict(metrics["student"]), others=others)


def finished(shown: Any) -> dict[str, Mapping[str, Mapping[str, float]]]:
    """Metrics of every experiment that has some, by its name, from `dvc exp show --json`."""
    found = {}
    for baseline in shown:
        for experiment in baseline.get("experiments") or []:
            for revision in experiment.get("revs") or []:
                metrics = ((revision.get("data") or {}).get("metrics") or {}).get(METRICS) or {}
                if revision.get("name") and "student" in metrics.get("data", {}):
                    found[str(revision["name"])] = metrics["data"]
    return found


def _said(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith("ERROR")), " ".join(lines[-2:]))
