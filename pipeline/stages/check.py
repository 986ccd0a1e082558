"""Parity and task metrics on one exported file itself, and what the budget says of them.

What ran it is written down: its own runtime, or a reference interpreter. A file that cannot run on
this machine at all is said not to have been executed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mobile import parity, recipes
from mobile.backend import Array, Runner, get_backend
from mobile.export import ExportReport, open_runner
from mobile.gate import Facts, Verdict, judge
from mobile.gate import problems as gate_problems
from mobile.inspection import inspect
from mobile.recipes import Recipe
from pipeline import checkpoint, tasks
from pipeline.config import Config
from pipeline.config.schema import Budget
from pipeline.data import manifest
from pipeline.data.dataset import read_image
from pipeline.data.evaluation import Sample, samples
from pipeline.data.layouts import Record
from pipeline.engine.progress import Meter
from pipeline.errors import UserError
from pipeline.files import read_json, write_json
from pipeline.metrics.baselines import Baselines
from pipeline.metrics.bootstrap import paired_difference
from pipeline.metrics.summary import per_image_rows
from pipeline.paths import BASELINES, CHECK, DATA, EVALUATE, EXPORTS, INSPECTION, MODEL, STRATA
from pipeline.pictures import write_logits
from pipeline.report.extremes import largest_drop
from pipeline.report.read import SCORES
from pipeline.stages.entry import stage
from pipeline.tasks.readout import Map, map_of
from pipeline.tasks.task import DenseTask, Predict, Scores, torch_predictor

THREADS = 2
LEAST = 10
"""Images below which a stratum is not measured: its interval would say nothing."""
PARITY_IMAGES = 100
"""Images compared logit by logit; the task metrics use every validation image."""


@stage
def main(config: Config, name: str) -> None:
    """Write outputs/check/NAME.json, and maps and what inspection found in outputs/check/NAME."""
    path = Path(config.student.final) / MODEL
    student, header = checkpoint.load_model(path, "student", config.student.name)
    size = (header["height"], header["width"])
    report = ExportReport.read(EXPORTS / name / "export.json")
    file, recipe = EXPORTS / name / report.file, recipes.get(name)
    records = manifest.load_role(DATA, "val").records

    backend = get_backend(recipe.backend)
    reason = backend.refusal()
    if reason is None:
        print(f"{name}: executed by {backend.executor()}")
        measured = execute(open_runner(file, THREADS), student, records, size, config, recipe)
    else:
        measured = unexecuted(reason)
        print(f"{name}: not executed on this machine: {reason}")
    seen = inspect(file, student, recipe)
    # Apart from the rest, which `dvc metrics show` lists number by number.
    write_json(CHECK / name / INSPECTION, seen.row() if seen else None)
    task = tasks.of(config.student)
    judged = verdicts(report, student, measured, task, recipe, config.budget)
    problems = [*gate_problems(judged), *(seen.problems if seen else ())]
    delegation = report.delegation
    result = {
        "recipe": name,
        "bytes": report.bytes,
        "parameters": parameters(student),
        "delegated": delegation.delegated if delegation else None,
        "nodes": delegation.total if delegation else None,
        "partitions": delegation.partitions if delegation else None,
        **measured,
        "gate": [dataclasses.asdict(verdict) for verdict in judged],
        "problems": problems,
    }
    write_json(CHECK / f"{name}.json", result)
    for problem in problems:
        print(f"{name}: {problem}")
    if problems and config.budget.enforce:
        raise UserError(
            f"{name} is over its budget ({len(problems)} of the lines above); mend it as they say, "
            "or set budget.enforce=false to have it marked only"
        )


def execute(
    runner: Runner,
    student: nn.Module,
    records: list[Record],
    size: tuple[int, int],
    config: Config,
    recipe: Recipe,
) -> dict[str, Any]:
    """Everything measured by running the file; its maps for the report are written, too."""
    task, backend = tasks.of(config.student), get_backend(recipe.backend)
    compared = compare(runner, student, records[:PARITY_IMAGES], size)
    scores = score(task, runner, records, size, config, recipe.name)
    losses = task_losses(scores, config.seed)
    write_pictures(task, runner, student, records, size, scores, CHECK / recipe.name)
    return {
        "executed": True,
        "reason": None,
        "executor": backend.executor(),
        "untimed": backend.untimed(),
        "parity": dataclasses.asdict(compared.real) | {"images": compared.images},
        "constants": [dataclasses.asdict(row) for row in compared.constants],
        "metrics": losses,
        "strata": stratum_losses(scores, task, config.seed),
    }


def unexecuted(reason: str) -> dict[str, Any]:
    """The same keys for a file that cannot run here."""
    return {
        "executed": False,
        "reason": reason,
        "executor": None,
        "untimed": None,
        "parity": None,
        "constants": [],
        "metrics": None,
        "strata": None,
    }


def inputs(records: list[Record], size: tuple[int, int]) -> Iterator[tuple[str, Array]]:
    """Ids and images (1, 3, H, W), float32 RGB 0-255."""
    for record in records:
        yield record.id, read_image(record, *size)[None].numpy()


def compare(
    runner: Runner, student: nn.Module, records: list[Record], size: tuple[int, int]
) -> parity.ParityReport:
    """Logits of the file against torch's, on real images and three constants."""
    images = (image for _, image in inputs(records, size))
    return parity.compare(runner, student, images, [record.id for record in records])


def score(
    task: DenseTask,
    runner: Runner,
    records: list[Record],
    size: tuple[int, int],
    config: Config,
    name: str,
) -> Scores:
    """The metrics of the file's own outputs on every validation image."""
    with Meter(f"check {name}", len(records), "images") as meter:

        def count(_sample: Sample, _logits: Map) -> None:
            meter(1)

        held_out = samples(records, *size, config.machine.workers)
        baselines = Baselines.read(EVALUATE / BASELINES)
        return task.evaluate(predictor(runner), held_out, on_image=count, baselines=baselines)


def task_losses(
    scores: Scores, seed: int, only: Collection[str] | None = None
) -> dict[str, dict[str, float]]:
    """Each metric of a file, and its difference from torch's, paired by image.

    `only` are the ids of the images to look at; a metric that fewer than `LEAST` of them define is
    left out.
    """
    reference = {row["id"]: row for row in read_json(EVALUATE / "per_image.json")["student"]}
    found: dict[str, dict[str, float]] = {}
    for metric, values in scores.values.items():
        torch_values = np.array(
            [np.nan if reference[i][metric] is None else reference[i][metric] for i in scores.ids]
        )
        both = ~np.isnan(torch_values) & ~np.isnan(values.numpy())
        if only is not None:
            both &= np.array([image in only for image in scores.ids])
            if both.sum() < LEAST:
                continue
        own, theirs = values.numpy()[both], torch_values[both]
        interval = paired_difference(own, theirs, seed=seed)
        found[metric] = {
            "file": float(own.mean()),
            "torch": float(theirs.mean()),
            "difference": interval.mean,
            "low": interval.low,
            "high": interval.high,
        }
    return found


def stratum_losses(scores: Scores, task: DenseTask, seed: int) -> dict[str, dict[str, Any]]:
    """By stratum its `images` and, where they are enough, the losses of gated metrics."""
    gated = Scores(scores.ids, {metric: scores.values[metric] for metric in task.gated})
    return {
        name: {"images": len(ids), **task_losses(gated, seed, ids)}
        for name, ids in read_json(EVALUATE / STRATA).items()
    }


def predictor(runner: Runner) -> Predict:
    """A runner as the task's evaluation takes it."""

    def predict(image: Tensor) -> Map:
        return map_of(runner.run(image[None].numpy()))

    return predict


def verdicts(
    report: ExportReport,
    student: nn.Module,
    measured: dict[str, Any],
    task: DenseTask,
    recipe: Recipe,
    budget: Budget,
) -> list[Verdict]:
    """What the gate says of the file; its latency is not known yet."""
    losses = measured["metrics"]
    facts = Facts(
        recipe=recipe,
        bytes=report.bytes,
        parameters=parameters(student),
        delegation=report.delegation,
        parity=measured["parity"],
        losses=None if losses is None else {metric: losses[metric] for metric in task.gated},
        strata=measured["strata"],
    )
    return judge(facts, budget)


def parameters(student: nn.Module) -> int:
    """How many numbers the student has learned."""
    return sum(parameter.numel() for parameter in student.parameters())


def write_pictures(
    task: DenseTask,
    runner: Runner,
    student: nn.Module,
    records: list[Record],
    size: tuple[int, int],
    scores: Scores,
    folder: Path,
) -> None:
    """What the report shows of this file: its scores by image, and its maps of some images.

    Those are the images shown of every predictor and the ones on which this file loses most
    against torch; torch's own maps of the latter lie in `torch/`.
    """
    rows = per_image_rows(scores.ids, scores.values)
    write_json(folder / SCORES, rows)
    reference = read_json(EVALUATE / "per_image.json")["student"]
    drops = [largest_drop(rows, reference, metric) for metric in task.gated]
    shown = set(read_json(EVALUATE / "shown.json"))
    lost = {drop.image for drop in drops if drop} - shown
    own, theirs = predictor(runner), torch_predictor(student, torch.device("cpu"))
    for sample in samples([r for r in records if r.id in shown | lost], *size):
        write_logits(folder / f"{sample.id}.npy", own(sample.image))
        if sample.id in lost:
            write_logits(folder / "torch" / f"{sample.id}.npy", theirs(sample.image))


if __name__ == "__main__":
    main()
