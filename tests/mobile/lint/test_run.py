"""Lint of whole students through the real exporters, and the command around it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import students
from fovea.cli import main
from mobile.lint import BACKENDS, lint
from tests.mobile.tiny import SPEC, TinyStudent


def test_a_sound_student_has_nothing_that_breaks() -> None:
    told: list[str] = []
    student = TinyStudent().train()
    found = lint(student, SPEC, on_backend=told.append)
    assert told == list(BACKENDS)
    assert student.training
    assert {f.severity for f in found} <= {"slows", "note"}
    assert any("pixel_shuffle" in f.where for f in found)


class Spectral(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return torch.fft.rfft2(images.mean(1, keepdim=True)).real


def test_what_no_backend_converts_is_a_finding_not_an_error() -> None:
    found = lint(Spectral(), SPEC, ["litert"])
    assert [(f.backend, f.severity, f.where) for f in found] == [("litert", "breaks", "conversion")]
    assert "fft" in found[0].what


class Branching(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images if images.sum() > 0 else -images


def test_what_cannot_be_traced_is_a_finding() -> None:
    (found,) = lint(Branching(), SPEC)
    assert found.severity == "breaks"
    assert "cannot trace" in found.what


def tiny(**_: object) -> TinyStudent:
    return TinyStudent()


def test_the_command_prints_and_keeps_findings(monkeypatch, tmp_path: Path, capsys) -> None:
    monkeypatch.setattr(students, "spec", lambda _name: SPEC)
    monkeypatch.setattr(students, "build", lambda _name: TinyStudent())
    target = tmp_path / "found.json"
    command = ["lint", "tiny", "--backend", "executorch", "--json", str(target)]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "pixel_shuffle" in said
    assert "0 of them to be mended" in said
    kept = json.loads(target.read_text())
    assert {f["backend"] for f in kept} <= {"executorch", "any"}
    assert main([*command, "--strict"]) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fastsal_d"], "did you mean"),
        (["fastsal_a", "--backend", "onnx"], "known: executorch, litert, coreml"),
        (["fastsal_a", "--size", "192"], "height x width"),
        (["fastsal_a", "--size", "100x100"], "multiples of 32"),
    ],
)
def test_bad_use_is_one_line(capsys, arguments: list[str], says: str) -> None:
    assert main(["lint", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
