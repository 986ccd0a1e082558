"""Task metrics, in torch, of the student, its teachers and a prior that does not look at images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pipeline import checkpoint, inference, tasks
from pipeline.config import Config
from pipeline.data import gaze, manifest
from pipeline.data.evaluation import Sample, samples
from pipeline.data.layouts import Record
from pipeline.data.threads import in_threads
from pipeline.engine import device as devices
from pipeline.engine.progress import Meter
from pipeline.files import write_json
from pipeline.metrics.baselines import Baselines, build
from pipeline.metrics.points import Points
from pipeline.metrics.strata import measure, strata
from pipeline.metrics.summary import per_image_rows
from pipeline.paths import BASELINES, DATA, EVALUATE, METRICS, MODEL, STRATA, TEACHERS
from pipeline.pictures import write_logits
from pipeline.report.extremes import Rows, choose
from pipeline.stages.entry import stage
from pipeline.tasks.readout import MEANINGS, Map, translated
from pipeline.tasks.task import DenseTask, Predict, Scores, torch_predictor

PICTURES = 8
"""Images shown in the report: best and worst by each metric, then what lies between."""


@stage
def main(config: Config) -> None:
    """Write outputs/metrics.json and outputs/evaluate."""
    task = tasks.of(config.student).informed(DATA)
    device = devices.choose(config.machine.device)
    path = Path(config.student.final) / MODEL
    student, header = checkpoint.load_model(path, "student", config.student.name)
    size = (header["height"], header["width"])
    predictors = {"student": Predictor(torch_predictor(student.to(device), device), size)}
    for other in task.readouts:
        if other != config.student.readout:
            predictors[f"student {other}"] = read_otherwise(predictors["student"], task, other)
    if more := inference.title(config.inference):
        spec, asked = checkpoint.spec_of(header), config.inference
        predict = inference.predictor(student, spec, asked, device)
        height, width = asked.size or size
        predictors[f"student {more}"] = Predictor(predict, (height, width))
    for name in config.student.teachers:
        predictors[f"teacher {name}"] = of_teacher(name, task, device)
    train = manifest.load_role(DATA, "train").records
    predictors["mean map"] = Predictor(ignoring(task.prior(train, *size)), size)

    records = manifest.load_role(DATA, "val").records
    baselines = against(train, records)
    baselines.write(EVALUATE / BASELINES)
    scores = {
        name: evaluate(task, predictor, records, config.machine.workers, name, baselines)
        for name, predictor in predictors.items()
    }
    per_image = {name: rows(found) for name, found in scores.items()}
    shown = show(task, per_image["student"])
    chosen = [record for record in records if record.id in shown]
    for name, predictor in predictors.items():
        for sample in samples(chosen, *predictor.size):
            logits = predictor.predict(sample.image)
            write_logits(EVALUATE / "logits" / name / f"{sample.id}.npy", logits)
    write_json(EVALUATE / "per_image.json", per_image)
    write_json(EVALUATE / STRATA, of_difficulty(records, size))
    write_json(EVALUATE / "shown.json", shown)
    write_json(METRICS, {name: rounded(s.means()) for name, s in scores.items()})
    for detail in scores["student"].details:
        write_json(EVALUATE / f"{detail}.json", {n: s.details[detail] for n, s in scores.items()})
    for metric, left_out in scores["student"].undefined().items():
        if left_out:
            print(
                f"{metric}: undefined on {left_out} of {len(records)} images, which it leaves out"
            )


@dataclass(frozen=True)
class Predictor:
    """Something that predicts, in the student's kind of output, and the input size it takes."""

    predict: Predict
    size: tuple[int, int]


def of_teacher(name: str, task: DenseTask, device: torch.device) -> Predictor:
    """A trained teacher at its own input size."""
    teacher, header = checkpoint.load_model(TEACHERS / name / MODEL, "teacher")
    predict, meaning = (
        torch_predictor(teacher.to(device), device),
        checkpoint.spec_of(header).output,
    )

    def translate(image: Tensor) -> Map:
        return translated(predict(image), meaning, task.output)

    return Predictor(translate, (header["height"], header["width"]))


def read_otherwise(student: Predictor, task: DenseTask, readout: str) -> Predictor:
    """The student's same numbers, read by the read-out it does not ship with (Table VI)."""

    def translate(image: Tensor) -> Map:
        return translated(student.predict(image), MEANINGS[readout], task.output)

    return Predictor(translate, student.size)


def evaluate(
    task: DenseTask,
    predictor: Predictor,
    records: list[Record],
    workers: int,
    title: str,
    baselines: Baselines,
) -> Scores:
    """Scores of one predictor over the validation images."""
    with Meter(f"evaluate {title}", len(records), "images") as meter:

        def count(_sample: Sample, _logits: Map) -> None:
            meter(1)

        held_out = samples(records, *predictor.size, workers)
        return task.evaluate(predictor.predict, held_out, on_image=count, baselines=baselines)


def against(train: list[Record], val: list[Record]) -> Baselines:
    """What sAUC and IG compare with: fixations on other images, and the centre bias."""
    watched = [record for record in val if record.fixations is not None]
    total = len(train) + 2 * len(watched)
    with Meter("baselines", total, "images") as meter:

        def points(records: list[Record]) -> Iterator[Points]:
            for found in in_threads(read_points, records):
                meter(1)
                yield found

        images = dict(zip((r.id for r in watched), points(watched), strict=True))
        elsewhere = list(points([record for record in train if record.fixations is not None]))
        found = build(images, elsewhere, lambda: meter(1))
    if not watched:  # a task that is not about fixations
        return found
    if found.about is None:
        print("sAUC and IG: left out, since fewer than two validation images have fixations")
    else:
        print(f"IG: over {found.about}")
    return found


def of_difficulty(records: list[Record], size: tuple[int, int]) -> dict[str, list[str]]:
    """Images of each stratum of the validation set, which every file's losses are split by."""
    scenes = {
        sample.id: measure(
            sample.image.numpy(), None if sample.density is None else sample.density.numpy()
        )
        for sample in samples(records, *size)
    }
    return strata(scenes)


def read_points(record: Record) -> Points:
    """Where an image was fixated."""
    return Points.from_counts(gaze.read(record).counts())


def ignoring(logits: Map) -> Predict:
    """A predictor that gives the same for every image."""

    def predict(_image: Tensor) -> Map:
        return logits

    return predict


def show(task: DenseTask, scored: Rows) -> list[str]:
    """Images for the report, from the best to the worst by the last gated metric."""
    gated = task.gated[::-1]
    metrics = [*gated, *(name for name in task.metrics if name not in gated)]
    return choose(scored, metrics, task.smaller_is_better, by=gated[0], most=PICTURES)


def rows(scores: Scores) -> list[dict[str, str | float | None]]:
    """Per-image scores as JSON."""
    return per_image_rows(scores.ids, scores.values)


def rounded(means: dict[str, float]) -> dict[str, float]:
    """To five digits: beyond that is noise of the machine."""
    return {name: round(value, 5) for name, value in means.items()}


if __name__ == "__main__":
    main()
