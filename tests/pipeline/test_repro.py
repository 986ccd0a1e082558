"""The whole pipeline through DVC, at its smallest: every stage runs, and then nothing has to."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mobile.bundle import verify
from pipeline.checkpoint import load_model, read
from pipeline.files import tree_hash
from pipeline.labels import LabelStore
from tests.conftest import TINY, Workspace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def done(make_workspace: Callable[[Sequence[str]], Workspace]) -> Workspace:
    """A workspace after `dvc repro`."""
    workspace = make_workspace(TINY)
    workspace.dvc("repro")
    return workspace


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


KILLS = int(os.environ.get("FOVEA_KILLS", "3"))
"""How often the labelling is killed; FOVEA_KILLS=10 for the long form."""


def test_labelling_killed_and_resumed_through_repro_gives_the_same_bytes(done: Workspace) -> None:
    """Kill -9 in the midst of labelling, at random moments; `dvc repro` takes it up each time."""
    labels = done.folder / "outputs/labels/salgan"
    expected = tree_hash(labels)
    command = [sys.executable, "-m", "dvc", "repro", "--force", "--single-item", "label@salgan"]
    generator = random.Random(0)
    scratch = Path(done.environment["FOVEA_SCRATCH"])
    seen: list[int] = []
    for _ in range(KILLS):
        process = subprocess.Popen(
            command, cwd=done.folder, env=done.environment, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wanted = min(shards(scratch) + generator.choice([0, 1]), 4)
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            if any(scratch.glob("label-*/")) and shards(scratch) >= wanted:
                time.sleep(generator.uniform(0.0, 1.5))
                break
            time.sleep(0.02)
        assert process.poll() is None, "the stage ended before it could be killed"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        seen.append(shards(scratch))
    assert max(seen) > 0, "no kill met a half-made store"
    done.run(*command)
    assert tree_hash(labels) == expected


def shards(scratch: Path) -> int:
    """Complete shards of the labelling under way."""
    return len(list(scratch.glob("label-*/shard-*.json")))
