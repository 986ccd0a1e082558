"""A small finished workspace, written by the same functions and dataclasses as a real one."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from pipeline import checkpoint, provenance
from pipeline.config import Config, compose
from pipeline.data import manifest
from pipeline.data.fixations import write_mat
from pipeline.data.manifest import Source
from pipeline.data.resize import NAME
from pipeline.engine.history import Row, write_curve
from pipeline.files import write_json
from pipeline.metrics.summary import per_image_rows
from pipeline.paths import (
    CALIBRATION,
    DATA,
    EVALUATE,
    LABELS,
    METRICS,
    MODEL,
    TEACHERS,
    TRAIN,
)
from pipeline.pictures import write_logits
from tests.report.made_up import bump, logits, values
from tests.report.measured import write_bundle, write_exports, write_latency

CONF = Path(__file__).resolve().parents[2] / "conf"
IDS = ("scene_1", "scene_2", "scene_3")
SIZES = ((120, 160), (160, 120), (90, 320))
"""Height and width of the images: landscape, portrait, and wider than the page draws."""


def configuration(*overrides: str) -> Config:
    """The sample configuration on a registered root that the test owns."""
    roles = [f"++data.{role}.root=photos" for role in ("train", "val")]
    return compose(["++data.pool=null", "++data.calibration=2", *roles, *overrides], CONF)


def write(config: Config, ids: Sequence[str] = IDS, *, exported: bool = True) -> None:
    """Everything the report reads, in the current folder; FOVEA_DATA_PHOTOS must be `photos`."""
    write_data(config, ids)
    write_training(config)
    write_evaluation(config, ids)
    if exported:
        write_exports(config, ids)
        write_latency(config)
        write_bundle(config)


def write_data(config: Config, ids: Sequence[str]) -> None:
    for split, names in (("train", [f"train_{i}" for i in range(3)]), ("val", ids)):
        for index, name in enumerate(names):
            write_scene(Path("photos"), split, name, SIZES[index % 3], seed=len(split) + index)
    source = Source(config.data.train.layout, "photos", "train")
    held_out = dataclasses.replace(source, split="val")
    manifest.write(DATA, {"train": source, "val": held_out})
    rows = manifest.read_rows(DATA, "train")
    write_json(CALIBRATION, manifest.calibration(rows, config.data.calibration, config.seed, NAME))


def write_scene(root: Path, split: str, name: str, size: tuple[int, int], seed: int) -> None:
    """A photograph-like image, its density map and the fixations of two viewers."""
    generator = np.random.default_rng(seed)
    height, width = size
    y, x = np.mgrid[0:height, 0:width]
    wave = np.stack([np.sin(x / (9 + 3 * c) + y / 17 + seed) for c in range(3)], axis=-1)
    pixels = np.clip(128 + 90 * wave + generator.normal(0, 5, wave.shape), 0, 255)
    density = bump(height, width, 0.4, 0.6)
    for folder in ("images", "maps", "fixations"):
        (root / folder / split).mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(root / "images" / split / f"{name}.jpg")
    grey = Image.fromarray((255 * density).astype(np.uint8))
    grey.save(root / "maps" / split / f"{name}.png")
    centre = np.array([0.6 * width, 0.4 * height])
    paths = [np.clip(generator.normal(centre, 9, (12, 2)), 0, (width - 1, height - 1))] * 2
    write_mat(root / "fixations" / split / f"{name}.mat", name, height, width, paths)


def write_training(config: Config) -> None:
    student = config.student
    for name, teacher in student.teachers.items():
        header = {"kind": "teacher", "model": teacher.model, "overrides": {}}
        checkpoint.write(TEACHERS / name / MODEL, {"weight": torch.zeros(3)}, header)
        write_json(LABELS / name / "labels.json", {"teacher": name})
        history = [row for key in teacher.phases for row in phase_history(key, "CC", 3)]
        write_curves(history, TEACHERS / name)
    for key, phase in student.phases.items():
        header = {
            "kind": "student",
            "model": student.name,
            "overrides": {},
            "height": 192,
            "width": 256,
            "versions": provenance.versions(),
        }
        checkpoint.write(TRAIN / key / MODEL, {"weight": torch.zeros(4000)}, header)
        write_curves(phase_history(key, phase.select, 3), TRAIN / key)


def write_curves(history: list[Row], folder: Path) -> None:
    write_curve(history, "step", folder / "steps.csv")
    write_curve(history, "epoch", folder / "epochs.csv")


def phase_history(phase: str, select: str, epochs: int) -> list[Row]:
    """Rows as the loop writes them; adversarial steps alternate between two sets of terms."""
    rows: list[Row] = []
    for epoch in range(epochs):
        for step in range(20):
            loss = 0.3 + math.exp(-(epoch + step / 20)) + 0.02 * math.sin(7.0 * step)
            terms = {"teacher": loss / 2, "truth": loss / 2}
            if phase == "adversarial":
                terms = {"real": 0.1, "fake": 0.2} if step % 2 else {"adversarial": 1, "content": 1}
            place = {"kind": "step", "phase": phase, "epoch": epoch, "step": step}
            rows.append({**place, "lr": 0.01, "loss": loss, **terms})
        values = {"val_NSS": 0.5 + 0.2 * epoch, "val_CC": 0.4 + 0.05 * epoch}
        if select == "hint":
            values = {"val_hint": 0.9 - 0.1 * epoch}
        rows.append({"kind": "epoch", "phase": phase, "epoch": epoch, "loss": 0.5, **values})
    return rows


def predictors(config: Config) -> dict[str, float]:
    """How far each predictor's maps lie beside the truth."""
    return {"student": 0.08, **{f"teacher {n}": 0.04 for n in config.student.teachers}} | {
        "mean map": 0.3
    }


def write_evaluation(config: Config, ids: Sequence[str]) -> None:
    scores = {name: values(len(ids), off) for name, off in predictors(config).items()}
    write_json(EVALUATE / "per_image.json", {n: per_image_rows(ids, s) for n, s in scores.items()})
    write_json(METRICS, {n: {m: float(v.mean()) for m, v in s.items()} for n, s in scores.items()})
    write_json(EVALUATE / "shown.json", list(ids))
    for name, off in predictors(config).items():
        for index in ids:
            write_logits(EVALUATE / "logits" / name / f"{index}.npy", logits(off))
