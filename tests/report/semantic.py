"""A small workspace of a semantic student, evaluated and not exported yet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.config import Config, compose
from pipeline.data import classes, manifest
from pipeline.data.evaluation import samples
from pipeline.data.manifest import Source
from pipeline.data.resize import NAME
from pipeline.files import write_json
from pipeline.metrics.summary import per_image_rows
from pipeline.paths import CALIBRATION, DATA, EVALUATE, METRICS
from pipeline.pictures import write_logits
from pipeline.stages.prepare import count_classes
from pipeline.tasks.semantic import SemanticTask
from tests.report import workspace

IDS = ("one", "two", "three")
SIZE = (60, 80)
NAMES = classes.get("sample").classes
SKY, PEOPLE = NAMES.index("sky"), NAMES.index("people")
"""The only classes that occur; beside them the last column of every image is void."""


def configuration() -> Config:
    """The sample student on a registered root that the test owns."""
    roles = [f"data.{role}.root=photos" for role in ("train", "val")]
    return compose(["student=gald_r18", "data.calibration=2", *roles], workspace.CONF)


def annotation() -> np.ndarray:
    """(H, W): people in the middle."""
    marked = np.full(SIZE, SKY, np.uint8)
    marked[20:40, 30:50] = PEOPLE
    marked[:, -1] = 255
    return marked


def logits(shift: int) -> np.ndarray:
    """(classes, 30, 40) of a predictor whose people stand `shift` pixels beside the annotated."""
    found = np.zeros((len(NAMES), 30, 40), np.float32)
    found[SKY] = 1
    found[PEOPLE, 10:20, 15 + shift : 25 + shift] = 4
    return found


def write(config: Config) -> None:
    """Everything the report reads, in the current folder; FOVEA_DATA_PHOTOS must be `photos`."""
    generator = np.random.default_rng(0)
    for split in ("train", "val"):
        for folder in (split, f"{split}annot"):
            (Path("photos") / folder).mkdir(parents=True)
        for name in IDS:
            pixels = generator.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(Path("photos") / split / f"{split}_{name}.png")
            place = Path("photos") / f"{split}annot" / f"{split}_{name}.png"
            Image.fromarray(annotation()).save(place)
    sources = {
        split: Source("camvid", "photos", split, classes="sample") for split in ("train", "val")
    }
    manifest.write(DATA, sources)
    count_classes("sample", list(sources))
    rows = manifest.read_rows(DATA, "train")
    write_json(CALIBRATION, manifest.calibration(rows, config.data.calibration, config.seed, NAME))
    workspace.write_training(config)
    write_evaluation()


def write_evaluation() -> None:
    """As the stage writes it."""
    task, records = SemanticTask(), manifest.load_role(DATA, "val").records
    predictors = {"student": logits(3), "mean map": logits(15)}
    scores = {
        name: task.evaluate(lambda _image, given=given: given, samples(records, 30, 40))
        for name, given in predictors.items()
    }
    write_json(METRICS, {name: found.means() for name, found in scores.items()})
    per_image = {name: per_image_rows(s.ids, s.values) for name, s in scores.items()}
    write_json(EVALUATE / "per_image.json", per_image)
    details = {name: found.details["classes"] for name, found in scores.items()}
    write_json(EVALUATE / "classes.json", details)
    write_json(EVALUATE / "shown.json", [record.id for record in records])
    for name, given in predictors.items():
        for record in records:
            write_logits(EVALUATE / "logits" / name / f"{record.id}.npy", given)
