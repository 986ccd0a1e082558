"""`student=cii_r18` brings its task, data and budget along: one tiny run from scenes to bundle."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from mobile import manifest
from tests.conftest import Workspace

pytestmark = pytest.mark.slow
TINY = (
    "student=cii_r18", "profile.object_size=[64,64]", "sample.train=16", "sample.val=4",
    "sample.pool=2", "data.calibration=4", "profile.full_epochs=1", "machine.workers=0",
    "latency.iterations=2", "latency.repeats=1", "latency.warmup=1",
    "export.recipes=[executorch_fp32]",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(make_workspace: Callable[[Sequence[str]], Workspace]) -> Workspace:
    workspace = make_workspace(TINY)
    workspace.together(
        "sample", "prepare", "train full", "evaluate", "export executorch_fp32",
        "check executorch_fp32", "host", "latency", "bundle", "report",
    )  # fmt: skip
    return workspace


def test_the_student_is_measured_by_its_task_beside_a_prior(run: Workspace) -> None:
    means = json.loads((run.folder / "outputs/metrics.json").read_text())
    assert means.keys() == {"student", "mean map"}
    assert means["student"].keys() == {"S", "F", "E", "wF", "MAE", "maxF"}


def test_its_file_is_judged_by_the_same_metrics(run: Workspace) -> None:
    checked = json.loads((run.folder / "outputs/check/executorch_fp32.json").read_text())
    assert checked["metrics"].keys() == {"S", "F", "E", "wF", "MAE"}
    assert {v["rule"] for v in checked["gate"]} >= {"S loss", "F loss", "delegation"}


def test_its_bundle_says_what_it_is(run: Workspace) -> None:
    content = manifest.load(run.folder / "outputs/bundle")
    assert content["spec"]["task"] == "salient_object"
    assert (content["spec"]["height"], content["spec"]["width"]) == (64, 64)


def test_its_report_shows_masks_and_no_fixations(run: Workspace) -> None:
    page = (run.folder / "outputs/report/report.html").read_text()
    assert "What is marked in" in page
    assert "Where people looked" not in page
    assert "S and F may lose" in page
    assert "Below S and F: the difference" in page
    assert "fixations" not in page.partition("How it was made")[0]


def test_a_size_it_cannot_take_is_refused_with_the_nearest(run: Workspace) -> None:
    run.compose(*TINY, "student.input_size=[100,64]")
    refused = run.stage("prepare", check=False)
    run.compose(*TINY)
    assert refused.returncode == 2
    assert "takes multiples of 32; nearest: [96, 64]" in refused.stderr
