"""What ships is the student alone: no teacher, no adaptation layers, no code that trained it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors import safe_open

import students
from pipeline.distil import AdaptationLayers
from tests.conftest import ROOT, Workspace

FINAL = Path("outputs/train/finetune/model.safetensors")
HINT = Path("outputs/train/hint/model.safetensors")

ALONE = """
import sys
for name in ("teachers", "pipeline.distil", "pipeline.losses", "pipeline.engine", "pipeline.labels",
             "pipeline.adversarial", "pipeline.likelihood", "pipeline.stages"):
    sys.modules[name] = None  # importing any of these fails now
import torch
from pathlib import Path
from pipeline.checkpoint import load_model, spec_of
model, header = load_model(Path(sys.argv[1]), "student")
with torch.inference_mode():
    logits = model(torch.full((1, 3, 64, 64), 90.0))
print(spec_of(header).name, tuple(logits.shape), bool(logits.isfinite().all()))
"""


@pytest.mark.parametrize("path", [HINT, FINAL])
def test_a_checkpoint_holds_the_students_own_tensors_and_no_other(
    done: Workspace, path: Path
) -> None:
    with safe_open(str(done.folder / path), framework="pt") as stream:
        held = {n: tuple(stream.get_slice(n).get_shape()) for n in sorted(stream.keys())}
        header = json.loads(stream.metadata()["fovea"])
    student = students.build(header["model"], **header["overrides"])
    own = {name: tuple(tensor.shape) for name, tensor in student.state_dict().items()}
    assert held == own
    # FastSal (A) is hinted through layers that exist in training alone; here they would be.
    adapters = AdaptationLayers(student.feature_channels, (128, 256, 512, 512))  # type: ignore[arg-type]
    assert (128, 28, 1, 1) in {tuple(p.shape) for p in adapters.parameters()}
    assert (128, 28, 1, 1) not in held.values()
    parameters = sum(p.numel() for p in student.parameters())
    assert parameters == 3_646_715


def test_it_loads_and_runs_where_nothing_that_trains_can_be_imported(done: Workspace) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", ALONE, str(done.folder / FINAL)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.split() == ["fastsal_a", "(1,", "1,", "64,", "64)", "True"]


def test_the_bundle_ships_no_file_of_a_teacher(done: Workspace) -> None:
    bundle = done.folder / "outputs/bundle"
    files = [path for path in bundle.rglob("*") if path.is_file()]
    assert files
    teacher = (done.folder / "outputs/teachers/salgan/model.safetensors").read_bytes()
    assert not any(path.suffix == ".safetensors" for path in files)
    assert not any(path.read_bytes() == teacher for path in files)
    assert not any(path.suffix in {".pt", ".pth"} for path in files)
