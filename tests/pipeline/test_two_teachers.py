"""Hints by SalGAN, log densities by DeepGaze: every stage up to fine-tuning, on tiny settings."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline import checkpoint
from pipeline.files import read_json, sha256_file
from pipeline.labels import LabelStore
from tests.conftest import TINY, Workspace

NAME = "deepgaze2_mobilenet"
OVERRIDES = (
    *TINY,
    "teacher=salgan_deepgaze2_mobilenet",
    "profile.folds=2",
    "profile.likelihood_epochs=1",
    "sample.train=16",
    "sample.pool=8",
    f"student.teachers.{NAME}.shard=8",
)
LABELS = Path("outputs/labels") / NAME
TEACHER = Path("outputs/teachers") / NAME / "model.safetensors"


@pytest.fixture(scope="module")
def taught(make_workspace: Callable[[Sequence[str]], Workspace]) -> Workspace:
    workspace = make_workspace(OVERRIDES)
    teachers = (f"teacher {NAME}", "teacher salgan", f"label {NAME}")
    workspace.together("sample", "prepare", *teachers, "train hint", "train finetune")
    return workspace


def test_labels_are_log_densities_at_the_students_size(taught: Workspace) -> None:
    store = LabelStore(taught.folder / LABELS)
    store.verify()
    assert store.spec.dtype == "f16"
    assert len(store) == 24
    for name in store.ids:
        label = store[name]
        assert label.shape == (192, 256)
        assert np.exp(label.astype(np.float64)).sum() == pytest.approx(1, rel=2e-3)


def test_the_teacher_reports_what_its_folds_gain_on_images_they_never_saw(
    taught: Workspace,
) -> None:
    with (taught.folder / TEACHER.parent / "steps.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {"loss", "gain", "held_out_gain"} <= set(rows[0])
    _, header = checkpoint.read(taught.folder / TEACHER)
    assert header["overrides"] == {"folds": 2}
    assert header["lineage"]["backbone"] == "none"


def test_fine_tuning_names_where_hints_and_labels_came_from(taught: Workspace) -> None:
    _, hint = checkpoint.read(taught.folder / "outputs/train/hint/model.safetensors")
    _, final = checkpoint.read(taught.folder / "outputs/train/finetune/model.safetensors")
    salgan = taught.folder / "outputs/teachers/salgan/model.safetensors"
    assert hint["lineage"]["teacher"] == sha256_file(salgan)
    assert final["lineage"]["labels"] == sha256_file(taught.folder / LABELS / "labels.json")
    assert final["output"] == "logits"


def test_labels_of_other_weights_are_refused_with_both_hashes(taught: Workspace) -> None:
    path = taught.folder / TEACHER
    kept = path.read_bytes()
    weights, header = checkpoint.read(path)
    weights["readouts.0.bias"] += 1
    try:
        checkpoint.write(path, weights, header)
        done = taught.stage("train", "finetune", check=False)
    finally:
        path.write_bytes(kept)
    made_with = read_json(taught.folder / LABELS / "labels.json")["teacher_hash"]
    other = sha256_file_of(weights, header)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert f"made with teacher_hash {made_with}, but {other} is in use" in done.stderr
    assert made_with == sha256_file(path)


def sha256_file_of(weights: dict[str, torch.Tensor], header: dict[str, object]) -> str:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        checkpoint.write(Path(folder) / "model.safetensors", weights, header)
        return sha256_file(Path(folder) / "model.safetensors")


def test_labels_of_another_size_are_refused_with_both_hashes(taught: Workspace) -> None:
    path = taught.folder / LABELS / "labels.json"
    stated = read_json(path)
    kept = (taught.folder / "params.yaml").read_text()
    taught.compose(*OVERRIDES, "student.label_size=[96,128]")
    try:
        taught.stage("label", NAME)
        done = taught.stage("train", "finetune", check=False)
    finally:
        (taught.folder / "params.yaml").write_text(kept)
        taught.stage("label", NAME)
    assert done.returncode == 2
    assert f"but {stated['preprocessing_hash']} is in use" in done.stderr
    assert read_json(path) == stated


def test_a_teacher_without_features_cannot_hint(taught: Workspace) -> None:
    kept = (taught.folder / "params.yaml").read_text()
    taught.compose(*OVERRIDES, f"student.hints={NAME}")
    try:
        done = taught.stage("train", "hint", check=False)
    finally:
        (taught.folder / "params.yaml").write_text(kept)
    assert done.returncode == 2
    assert f"teacher {NAME} cannot hint" in done.stderr
