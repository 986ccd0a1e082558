"""Task metrics, in torch, of the student, its teachers and a prior that does not look at images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipeline import checkpoint, tasks
from pipeline.config import Config
from pipeline.data import manifest
from pipeline.data.evaluation import Sample, samples
from pipeline.data.images import read_map
from pipeline.data.layouts import Record
from pipeline.data.resize import resize
from pipeline.engine import device as devices
from pipeline.engine.progress import Meter
from pipeline.files import write_json
from pipeline.metrics.summary import per_image_rows
from pipeline.paths import DATA, EVALUATE, METRICS, MODEL, TEACHERS
from pipeline.pictures import write_logits
from pipeline.stages.entry import stage
from pipeline.tasks.saliency import Map, Predict, SaliencyTask, Scores, torch_predictor

PICTURES = 12
"""Images shown in the report: the best, the worst and what lies between."""


@stage
def main(config: Config) -> None:
    """Write outputs/metrics.json and outputs/evaluate."""
    task = tasks.get(config.student.task)
    device = devices.choose(config.machine.device)
    path = Path(config.student.final) / MODEL
    student, header = checkpoint.load_model(path, "student", config.student.name)
    size = (header["height"], header["width"])
    predictors: dict[str, Predict] = {"student": torch_predictor(student.to(device), device)}
    for name in config.student.teachers:
        teacher, _ = checkpoint.load_model(TEACHERS / name / MODEL, "teacher")
        predictors[f"teacher {name}"] = torch_predictor(teacher.to(device), device)
    predictors["mean map"] = prior(manifest.load_role(DATA, "train").records, *size)

    records = manifest.load_role(DATA, "val").records
    scores = {
        name: evaluate(task, predict, records, size, config.machine.workers, name)
        for name, predict in predictors.items()
    }
    shown = show(task, scores["student"], records)
    for name, predict in predictors.items():
        for sample in samples(shown, *size):
            write_logits(EVALUATE / "logits" / name / f"{sample.id}.npy", predict(sample.image))
    write_json(EVALUATE / "per_image.json", {n: rows(s) for n, s in scores.items()})
    write_json(EVALUATE / "shown.json", [record.id for record in shown])
    write_json(METRICS, {name: rounded(s.means()) for name, s in scores.items()})


def evaluate(
    task: SaliencyTask,
    predict: Predict,
    records: list[Record],
    size: tuple[int, int],
    workers: int,
    title: str,
) -> Scores:
    """Scores of one predictor over the validation images."""
    with Meter(f"evaluate {title}", len(records), "images") as meter:

        def count(_sample: Sample, _logits: Map) -> None:
            meter(1)

        held_out = samples(records, *size, workers)
        return task.evaluate(predict, held_out, on_image=count)


def prior(records: list[Record], height: int, width: int) -> Predict:
    """The mean training map as logits: what a model that ignores its input can reach."""
    maps = [resize(read_map(r.map), height, width) for r in records if r.map is not None]
    mean = np.clip(np.mean(maps, axis=0), 1e-6, 1 - 1e-6)
    logits: Map = np.log(mean / (1 - mean)).astype(np.float32)

    def predict(_image: Tensor) -> Map:
        return logits

    return predict


def show(task: SaliencyTask, scores: Scores, records: list[Record]) -> list[Record]:
    """Records spread evenly from the best to the worst image by the first gated metric."""
    values = scores.values[task.gated[-1]]
    order = torch.argsort(values.nan_to_num(-1.0), descending=True).tolist()
    picks = np.unique(np.linspace(0, len(order) - 1, min(PICTURES, len(order))).round().astype(int))
    by_id = {record.id: record for record in records}
    return [by_id[scores.ids[order[pick]]] for pick in picks]


def rows(scores: Scores) -> list[dict[str, str | float | None]]:
    """Per-image scores as JSON."""
    return per_image_rows(scores.ids, scores.values)


def rounded(means: dict[str, float]) -> dict[str, float]:
    """To five digits: beyond that is noise of the machine."""
    return {name: round(value, 5) for name, value in means.items()}


if __name__ == "__main__":
    main()
