"""Parity and task metrics on one exported file itself, and what the budget says of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mobile import parity, recipes
from mobile.backend import Array, Runner
from mobile.export import ExportReport, open_runner
from pipeline import checkpoint, tasks
from pipeline.config import Config
from pipeline.config.schema import Budget
from pipeline.data import manifest
from pipeline.data.dataset import read_image
from pipeline.data.evaluation import Sample, samples
from pipeline.data.layouts import Record
from pipeline.engine.progress import Meter
from pipeline.files import read_json, write_json
from pipeline.metrics.bootstrap import paired_difference
from pipeline.paths import CHECK, DATA, EVALUATE, EXPORTS, MODEL
from pipeline.pictures import write_logits
from pipeline.stages.entry import stage
from pipeline.tasks.saliency import Map, Predict, SaliencyTask

THREADS = 2
PARITY_IMAGES = 100
"""Images compared logit by logit; the task metrics use every validation image."""


@stage
def main(config: Config, name: str) -> None:
    """Write outputs/check/NAME.json and maps for the report."""
    path = Path(config.student.final) / MODEL
    student, header = checkpoint.load_model(path, "student", config.student.name)
    size = (header["height"], header["width"])
    report = ExportReport.read(EXPORTS / name / "export.json")
    runner = open_runner(EXPORTS / name / report.file, THREADS)
    records = manifest.load_role(DATA, "val").records
    task = tasks.get(config.student.task)

    compared = compare(runner, student, records[:PARITY_IMAGES], size)
    losses = task_losses(task, runner, records, size, config, name)
    write_maps(runner, records, size, name)
    problems = compared.problems(recipes.get(name)) + budget_problems(task, losses, config.budget)
    result = {
        "recipe": name,
        "bytes": report.bytes,
        "delegated": report.delegation.delegated,
        "nodes": report.delegation.total,
        "partitions": report.delegation.partitions,
        "parity": dataclasses.asdict(compared.real) | {"images": compared.images},
        "constants": [dataclasses.asdict(row) for row in compared.constants],
        "metrics": losses,
        "problems": problems,
    }
    write_json(CHECK / f"{name}.json", result)
    for problem in problems:
        print(f"{name}: {problem}")


def compare(
    runner: Runner, student: nn.Module, records: list[Record], size: tuple[int, int]
) -> parity.ParityReport:
    """Logits of the file against torch's, on real images and three constants."""

    def images() -> Iterator[Array]:
        for record in records:
            yield read_image(record, *size)[None].numpy()

    return parity.compare(runner, student, images(), [record.id for record in records])


def task_losses(
    task: SaliencyTask,
    runner: Runner,
    records: list[Record],
    size: tuple[int, int],
    config: Config,
    name: str,
) -> dict[str, dict[str, float]]:
    """Each metric from the file's own outputs, and its difference from torch's, paired by image."""
    with Meter(f"check {name}", len(records), "images") as meter:

        def count(_sample: Sample, _logits: Map) -> None:
            meter(1)

        held_out = samples(records, *size, config.machine.workers)
        scores = task.evaluate(predictor(runner), held_out, on_image=count)
    reference = {row["id"]: row for row in read_json(EVALUATE / "per_image.json")["student"]}
    found: dict[str, dict[str, float]] = {}
    for metric, values in scores.values.items():
        torch_values = np.array(
            [np.nan if reference[i][metric] is None else reference[i][metric] for i in scores.ids]
        )
        both = ~np.isnan(torch_values) & ~np.isnan(values.numpy())
        own, theirs = values.numpy()[both], torch_values[both]
        interval = paired_difference(own, theirs, seed=config.seed)
        found[metric] = {
            "file": float(own.mean()),
            "torch": float(theirs.mean()),
            "difference": interval.mean,
            "low": interval.low,
            "high": interval.high,
        }
    return found


def predictor(runner: Runner) -> Predict:
    """A runner as the task's evaluation takes it."""

    def predict(image: Tensor) -> Map:
        output: Map = runner.run(image[None].numpy())[0, 0]
        return output

    return predict


def budget_problems(
    task: SaliencyTask, losses: dict[str, dict[str, Any]], budget: Budget
) -> list[str]:
    """Metrics that lost more than the budget allows, relative to torch."""
    problems = []
    for metric in task.gated:
        row = losses[metric]
        lost = -row["difference"] / abs(row["torch"]) if row["torch"] else 0.0
        if lost > budget.metric_loss:
            problems.append(
                f"{metric} lost {lost:.2%} of torch's {row['torch']:.4f}, more than the budget's "
                f"{budget.metric_loss:.0%}; raise budget.metric_loss, calibrate on more images "
                "(data.calibration), or ship a float file"
            )
    return problems


def write_maps(runner: Runner, records: list[Record], size: tuple[int, int], name: str) -> None:
    """The file's own maps of the images the report shows."""
    shown = set(read_json(EVALUATE / "shown.json"))
    predict = predictor(runner)
    for sample in samples([r for r in records if r.id in shown], *size):
        with torch.inference_mode():
            write_logits(CHECK / name / f"{sample.id}.npy", predict(sample.image))


if __name__ == "__main__":
    main()
