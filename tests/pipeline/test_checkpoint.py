"""Checkpoints say what they are, and refuse to be taken for something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import students
from pipeline.checkpoint import load_model, read, spec_of, write
from pipeline.errors import UserError

HEADER = {"kind": "student", "model": "fastsal_a", "overrides": {"skip": "authors"}}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "model.safetensors"
    torch.manual_seed(0)
    write(path, students.build("fastsal_a").state_dict(), HEADER)
    return path


def test_round_trip_rebuilds_the_model_with_its_options(saved: Path) -> None:
    model, header = load_model(saved, "student", "fastsal_a")
    assert header["overrides"] == {"skip": "authors"}
    assert {block.skip for block in model.blocks} == {"authors"}
    assert not model.training


def test_same_weights_same_bytes(saved: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    write(tmp_path / "again.safetensors", students.build("fastsal_a").state_dict(), HEADER)
    assert (tmp_path / "again.safetensors").read_bytes() == saved.read_bytes()


def test_it_loads_without_pickle(saved: Path) -> None:
    assert b"pickle" not in saved.read_bytes()[:10_000]


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("student", "fastsal_c", "holds student fastsal_a, not student fastsal_c"),
        ("teacher", None, "holds student fastsal_a, not teacher"),
    ],
)
def test_another_model_is_refused(saved: Path, kind: str, name: str | None, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_model(saved, kind, name)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "new.safetensors"
    save_file({"x": torch.zeros(1)}, path, {"fovea": json.dumps({**HEADER, "format": 99})})
    with pytest.raises(UserError, match="format 99, newer than 1; update Fovea"):
        read(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"not a checkpoint at all", "is not a checkpoint"), (None, "is missing; run `dvc repro`")],
)
def test_what_is_no_checkpoint_is_refused(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "model.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        read(path)


def test_weights_of_another_tool_are_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(UserError, match="no Fovea header"):
        read(tmp_path / "w.safetensors")


def test_a_checkpoint_with_missing_tensors_is_refused(saved: Path, tmp_path: Path) -> None:
    weights, _ = read(saved)
    weights.pop("head.weight")
    write(tmp_path / "part.safetensors", weights, HEADER)
    with pytest.raises(UserError, match="does not fit fastsal_a"):
        load_model(tmp_path / "part.safetensors", "student")


def test_a_student_can_be_kept_as_a_teacher(saved: Path, tmp_path: Path) -> None:
    weights, _ = read(saved)
    write(tmp_path / "teacher.safetensors", weights, {**HEADER, "kind": "teacher"})
    teacher, header = load_model(tmp_path / "teacher.safetensors", "teacher")
    assert type(teacher).__name__ == "FastSalA"
    assert spec_of(header).name == "fastsal_a"
