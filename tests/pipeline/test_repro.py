"""The whole pipeline through DVC, at its smallest: every stage runs, and then nothing has to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mobile.bundle import verify
from pipeline.checkpoint import load_model, read
from pipeline.labels import LabelStore
from tests.conftest import Workspace

pytestmark = pytest.mark.slow


def ran(output: str) -> list[str]:
    """Stages that DVC ran, from what it printed."""
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]


def test_a_second_repro_runs_nothing_but_the_host_probe(done: Workspace) -> None:
    assert ran(done.dvc("repro").stdout) == ["host"]


def test_the_bundle_is_whole_and_says_where_it_came_from(done: Workspace) -> None:
    bundle = done.folder / "outputs/bundle"
    assert verify(bundle) == []
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert set(manifest["lineage"]) >= {"student", "teachers", "labels", "data", "calibration"}
    assert manifest["spec"]["name"] == "fastsal_a"


def test_the_report_is_one_page(done: Workspace) -> None:
    page = (done.folder / "outputs/report/report.html").read_text()
    assert "fastsal_a" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_the_file_agrees_with_torch(done: Workspace) -> None:
    check = json.loads((done.folder / "outputs/check/executorch_fp32.json").read_text())
    assert check["parity"]["max_abs_max"] <= 1e-3
    assert check["delegated"] > 0


def test_a_shipped_checkpoint_holds_the_student_alone(done: Workspace) -> None:
    path = done.folder / "outputs/train/finetune/model.safetensors"
    student, header = load_model(path, "student", "fastsal_a")
    weights, _ = read(path)
    assert weights.keys() == student.state_dict().keys()
    assert header["lineage"].keys() >= {"data", "init", "labels"}


def test_labels_cover_train_and_pool(done: Workspace) -> None:
    store = LabelStore(done.folder / "outputs/labels/salgan")
    store.verify()
    assert len(store) == 24 + 16


def test_calibration_images_are_never_validated_on(done: Workspace) -> None:
    data = done.folder / "outputs/data"
    chosen = set(json.loads((data.parent / "calibration.json").read_text())["ids"])
    held_out = {json.loads(line)["id"] for line in (data / "val.jsonl").read_text().splitlines()}
    assert chosen
    assert not chosen & held_out


def test_no_path_of_this_machine_enters_what_is_tracked(done: Workspace) -> None:
    for name in ("dvc.lock", "params.yaml", "outputs/data/manifest.json"):
        assert str(done.folder) not in (done.folder / name).read_text()


def test_nothing_half_done_is_left_in_scratch(done: Workspace) -> None:
    scratch = Path(done.environment["FOVEA_SCRATCH"])
    assert [p for p in scratch.iterdir() if p.is_dir()] == []


def test_metrics_are_shown(done: Workspace) -> None:
    shown = json.loads(done.dvc("metrics", "show", "--json").stdout)
    values = shown[""]["data"]["outputs/metrics.json"]["data"]
    assert {"student", "teacher salgan", "mean map"} <= values.keys()
