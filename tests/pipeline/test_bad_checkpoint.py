"""Checkpoints that are damaged, foreign, newer, or hold what no model can run with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

import students
from pipeline.checkpoint import fresh, load_model, read, write
from pipeline.errors import UserError

HEADER = {"kind": "student", "model": "fastsal_a", "overrides": {}}


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    return students.build("fastsal_a").state_dict()


@pytest.fixture(scope="module")
def whole(weights: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("checkpoint") / "model.safetensors"
    write(path, weights, HEADER)
    return path.read_bytes()


CUTS = [0, 4, 8, 100, 2000, 100_000, -1]


@pytest.mark.parametrize("size", CUTS)
def test_a_file_cut_short_is_refused(tmp_path: Path, whole: bytes, size: int) -> None:
    (tmp_path / "model.safetensors").write_bytes(whole[:size])
    with pytest.raises(UserError, match=r"model\.safetensors is not a checkpoint .*; remove it"):
        load_model(tmp_path / "model.safetensors", "student")


def test_a_folder_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a checkpoint"):
        read(tmp_path)


@pytest.mark.parametrize(
    "header",
    [
        "{",
        "[]",
        "3",
        "null",
        '"text"',
        "{}",
        '{"kind": "student"}',
        '{"format": "new"}',
        "[" * 9999,
    ],
)
def test_a_damaged_header_is_refused(tmp_path: Path, header: str) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(save({"x": torch.zeros(1)}, {"fovea": header}))
    with pytest.raises(UserError, match="has a damaged Fovea header"):
        read(path)


def test_a_newer_format_is_said_even_if_it_holds_other_keys(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(save({"x": torch.zeros(1)}, {"fovea": json.dumps({"format": 2})}))
    with pytest.raises(UserError, match="checkpoint format 2, newer than 1; update Fovea"):
        read(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"model": "fastsal_z"},
            "does not fit fastsal_z: no student is called 'fastsal_z'; did yo",
        ),
        ({"overrides": {"skp": "paper"}}, "does not fit fastsal_a: .*unexpected keyword .*'skp'"),
        ({"model": "fastsal_c"}, "does not fit fastsal_c: .*Missing key"),
    ],
)
def test_another_model_is_refused(
    tmp_path: Path, weights: dict[str, torch.Tensor], change: dict[str, Any], message: str
) -> None:
    path = tmp_path / "model.safetensors"
    write(path, weights, HEADER | change)
    with pytest.raises(UserError, match=message) as caught:
        load_model(path, "student")
    assert len(str(caught.value)) < 500, "torch's list of every tensor is cut"


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_no_numbers_are_named(
    tmp_path: Path, weights: dict[str, torch.Tensor], value: float
) -> None:
    broken = {name: tensor.clone() for name, tensor in weights.items()}
    broken["head.weight"].view(-1)[0] = value
    write(tmp_path / "model.safetensors", broken, HEADER)
    with pytest.raises(UserError, match=r"NaN or infinite weights, first in head\.weight: .*again"):
        load_model(tmp_path / "model.safetensors", "student")


@settings(max_examples=60)
@given(place=st.integers(0, 5000), value=st.integers(1, 255))
def test_a_changed_byte_of_the_header_ends_in_a_model_or_a_plain_error(
    whole: bytes, tmp_path_factory: pytest.TempPathFactory, place: int, value: int
) -> None:
    """Also a plain error: names of tensors that no model has, or sizes that do not add up."""
    path = tmp_path_factory.getbasetemp() / "flipped.safetensors"
    data = bytearray(whole)
    data[place] ^= value
    path.write_bytes(data)
    try:
        read(path)
    except UserError as error:
        if path.name not in str(error):
            raise


def test_options_that_no_builder_takes_are_said_with_their_key() -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"skp": "paper"}, "student.overrides: fastsal_a cannot be built: .*'skp'"),
        ({"init": "zeros"}, "cannot be built: init is 'authors' or 'kaiming'"),
    ]
    for options, message in cases:
        with pytest.raises(UserError, match=message):
            fresh(students.build, "fastsal_a", "student.overrides", **options)


@pytest.mark.parametrize(
    "damage", [lambda p: p.write_bytes(b"no weights"), lambda p: p.write_bytes(b""), Path.mkdir]
)
def test_backbone_weights_that_are_none_are_said(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    damage(tmp_path / "backbone.safetensors")
    with pytest.raises(UserError, match="student: fastsal_a cannot be built: "):
        fresh(students.build, "fastsal_a", "student", weights=tmp_path / "backbone.safetensors")
