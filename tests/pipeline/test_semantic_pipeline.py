"""A heavy network of classes teaches a mobile one; both tiny, the second from scenes to bundle."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from mobile import manifest
from pipeline import checkpoint
from pipeline.labels import LabelStore
from tests.conftest import Workspace

pytestmark = pytest.mark.slow
TINY = (
    "profile.semantic_size=[64,64]", "sample.train=16", "sample.val=4", "sample.pool=2",
    "data.calibration=4", "profile.semantic_epochs=1", "machine.workers=0", "latency.iterations=2",
    "latency.repeats=1", "latency.warmup=1", "export.recipes=[executorch_fp32]",
)  # fmt: skip
HEAVY = (*TINY, "student=cednet_n")
TAUGHT = (
    *TINY, "student=fastsal_a_semantic", "teacher=cednet_n", "phases=semantic_hinted",
    "profile.hint_epochs=1", "student.teachers.cednet_n.weights=cednet_n",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(make_workspace: Callable[[Sequence[str]], Workspace]) -> Workspace:
    workspace = make_workspace(HEAVY)
    workspace.together("sample", "prepare", "train full")
    trained = workspace.folder / "cednet_n.safetensors"
    (workspace.folder / "outputs/train/full/model.safetensors").rename(trained)
    workspace.environment["FOVEA_WEIGHTS_CEDNET_N"] = str(trained)
    workspace.compose(*TAUGHT)
    workspace.together(
        "prepare", "teacher cednet_n", "label cednet_n", "train hint", "train full", "evaluate",
        "export executorch_fp32", "check executorch_fp32", "host", "latency", "bundle", "report",
    )  # fmt: skip
    return workspace


def test_what_ships_has_no_auxiliary_head_but_the_last_state_has(run: Workspace) -> None:
    weights, header = checkpoint.read(run.folder / "cednet_n.safetensors")
    assert not any(name.startswith("auxiliary.") for name in weights)
    assert header["overrides"]["aux"] is False
    assert header["output"] == "class-logits"


def test_data_say_how_many_pixels_each_class_has(run: Workspace) -> None:
    found = json.loads((run.folder / "outputs/data/classes.json").read_text())
    assert found["name"] == "sample"
    assert sum(found["pixels"]["val"].values()) == 4 * 480 * 640


def test_the_teacher_is_run_at_the_size_it_was_trained_for(run: Workspace) -> None:
    _, header = checkpoint.read(run.folder / "outputs/teachers/cednet_n/model.safetensors")
    assert (header["height"], header["width"]) == (64, 64)
    store = LabelStore(run.folder / "outputs/labels/cednet_n")
    assert (store.spec.dtype, len(store)) == ("u32", 16)
    assert store[store.ids[0]].shape == (4, 64, 64)


def test_student_teacher_and_prior_are_measured_alike(run: Workspace) -> None:
    means = json.loads((run.folder / "outputs/metrics.json").read_text())
    assert means.keys() == {"student", "teacher cednet_n", "mean map"}
    assert all(m.keys() == {"accuracy", "IoU", "mIoU"} for m in means.values())
    epochs = (run.folder / "outputs/train/full/steps.csv").read_text().splitlines()[0]
    assert {"truth", "labels"} <= set(epochs.split(","))


def test_its_file_is_judged_and_bundled(run: Workspace) -> None:
    checked = json.loads((run.folder / "outputs/check/executorch_fp32.json").read_text())
    assert {v["rule"] for v in checked["gate"]} >= {"accuracy loss", "IoU loss"}
    assert checked["parity"]["cc_min"] > 0.9999
    content = manifest.load(run.folder / "outputs/bundle")
    assert content["output"].items() >= {"shape": [1, 8, 64, 64], "meaning": "class-logits"}.items()
    assert content["output"]["classes"][1] == {"name": "sky", "colour": "#5675bf"}


def test_its_report_shows_classes_and_no_fixations(run: Workspace) -> None:
    page = (run.folder / "outputs/report/report.html").read_text()
    assert "Class frequencies" in page
    assert "Classes of" in page
    assert "Where people looked" not in page


def test_other_classes_than_the_students_are_refused(run: Workspace) -> None:
    run.compose(*TAUGHT, "data.classes=camvid")
    refused = run.stage("label", "cednet_n", check=False)
    run.compose(*TAUGHT)
    assert refused.returncode == 2
    assert "teacher cednet_n knows 8 classes, but the student learns 11" in refused.stderr
