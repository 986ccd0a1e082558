"""A small workspace of a classifier, evaluated and not exported yet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.config import Config, compose
from pipeline.data import image_classes, manifest
from pipeline.data.evaluation import samples
from pipeline.data.manifest import Source
from pipeline.data.resize import NAME
from pipeline.files import write_json
from pipeline.metrics.summary import per_image_rows
from pipeline.paths import CALIBRATION, DATA, EVALUATE, METRICS
from pipeline.pictures import write_logits
from pipeline.stages.prepare import count_images
from pipeline.tasks.classification import ClassificationTask
from tests.report import workspace

NAMES = ("boat", "cat & dog", "zebra")
SIZE = (48, 64)


def configuration() -> Config:
    """The sample student on a registered root of three classes that the test owns."""
    roles = [f"data.{role}.root=photos" for role in ("train", "val")]
    given = ["data.classes=null", "student.overrides.classes=3", "data.calibration=2"]
    return compose(["student=cednet_n_classifier", *given, *roles], workspace.CONF)


def logits(*values: float) -> np.ndarray:
    return np.array(values, np.float32)[:, None, None]


def write(config: Config) -> None:
    """Everything the report reads, in the current folder; FOVEA_DATA_PHOTOS must be `photos`."""
    generator = np.random.default_rng(0)
    for split in ("train", "val"):
        for key in NAMES:
            folder = Path("photos") / split / key
            folder.mkdir(parents=True)
            pixels = generator.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{split}.png")
    sources = {split: Source("imagenet", "photos", split) for split in ("train", "val")}
    manifest.write(DATA, sources)
    rows = {split: manifest.read_rows(DATA, split) for split in sources}
    count_images(None, image_classes.read(Path("photos")).names, rows)
    chosen = manifest.calibration(rows["train"], config.data.calibration, config.seed, NAME)
    write_json(CALIBRATION, chosen)
    workspace.write_training(config)
    write_evaluation()


def write_evaluation() -> None:
    """As the stage writes it: the student takes zebras for boats, the prior everything."""
    task, records = ClassificationTask(), manifest.load_role(DATA, "val").records
    answers = {
        "boat/val": logits(3, 1, 0),
        "cat & dog/val": logits(0, 2, 1),
        "zebra/val": logits(2, 0, 1),
    }
    predictors = {
        "student": answers,
        "mean map": dict.fromkeys(answers, logits(0, 0, 0)),
    }
    scores = {}
    for name, given in predictors.items():
        found = iter(records)
        scores[name] = task.evaluate(
            lambda _image, given=given, found=found: given[next(found).id],
            samples(records, *SIZE),
        )
        for record in records:
            write_logits(EVALUATE / "logits" / name / f"{record.id}.npy", given[record.id])
    write_json(METRICS, {name: found.means() for name, found in scores.items()})
    per_image = {name: per_image_rows(s.ids, s.values) for name, s in scores.items()}
    write_json(EVALUATE / "per_image.json", per_image)
    for detail in ("classes", "mistakes"):
        write_json(EVALUATE / f"{detail}.json", {n: s.details[detail] for n, s in scores.items()})
    write_json(EVALUATE / "shown.json", [record.id for record in records])
