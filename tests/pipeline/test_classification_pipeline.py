"""A tiny classifier from pictures of single things to its bundle, page and predictions."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from fovea import cli
from mobile import manifest
from pipeline import checkpoint
from pipeline.config import compose
from pipeline.errors import UserError
from pipeline.stages.train import initial_student
from tests.conftest import Workspace

pytestmark = pytest.mark.slow
TINY = (
    "student=cednet_n_classifier", "sample.train=4", "sample.val=2", "sample.pool=1",
    "profile.class_size=[64,64]", "profile.class_epochs=1", "profile.class_batch=8",
    "data.calibration=4", "machine.workers=0", "latency.iterations=2", "latency.repeats=1",
    "latency.warmup=1", "export.recipes=[executorch_fp32]",
    "student.overrides.blocks=[[1,1,1],[1,1,1]]",
)  # fmt: skip
STAGES = (
    "sample", "prepare", "train full", "evaluate", "export executorch_fp32",
    "check executorch_fp32", "host", "latency", "bundle", "report",
)  # fmt: skip
NAMES = ["car", "cup", "face", "fish", "flower", "house", "person", "tree"]


@pytest.fixture(scope="module")
def run(make_workspace: Callable[[Sequence[str]], Workspace]) -> Workspace:
    workspace = make_workspace(TINY)
    workspace.together(*STAGES)
    return workspace


def test_data_say_how_many_images_each_class_has(run: Workspace) -> None:
    found = json.loads((run.folder / "outputs/data/classes.json").read_text())
    assert found["classes"] == NAMES
    assert found["images"] == {"train": [2] * 8, "val": [1] * 8}


def test_all_heads_train_and_the_last_ships(run: Workspace) -> None:
    steps = (run.folder / "outputs/train/full/steps.csv").read_text().splitlines()[0]
    assert {"truth", "auxiliary0"} <= set(steps.split(","))
    weights, header = checkpoint.read(run.folder / "outputs/train/full/model.safetensors")
    assert not any(name.startswith("auxiliary.") for name in weights)
    assert (header["overrides"]["aux"], header["output"]) == (False, "class-logits")


def test_student_and_prior_are_measured_alike(run: Workspace) -> None:
    means = json.loads((run.folder / "outputs/metrics.json").read_text())
    assert means.keys() == {"student", "mean map"}
    assert all(m.keys() == {"top1", "top5", "CE", "P", "mAcc"} for m in means.values())
    assert means["mean map"] == pytest.approx(
        {"top1": 1 / 8, "top5": 5 / 8, "CE": 2.07944, "P": 1 / 8, "mAcc": 1 / 8}
    )


def test_its_file_is_judged_and_bundled_with_the_names_of_its_classes(run: Workspace) -> None:
    checked = json.loads((run.folder / "outputs/check/executorch_fp32.json").read_text())
    assert {v["rule"] for v in checked["gate"]} >= {"top1 loss", "P loss"}
    assert checked["parity"]["max_abs_max"] < 1e-3
    content = manifest.load(run.folder / "outputs/bundle")
    assert content["spec"]["task"] == "classification"
    assert content["output"]["shape"] == [1, 8, 1, 1]
    assert [each["name"] for each in content["output"]["classes"]] == NAMES


def test_its_page_has_accuracies_and_mistakes_of_classes(run: Workspace) -> None:
    page = (run.folder / "outputs/report/report.html").read_text()
    assert "Accuracy of every class" in page
    assert "What the student mistakes most often" in page
    assert "Likeliest classes of" in page
    assert "at their own resolution" not in page


def test_a_photograph_is_told_its_likeliest_classes(
    run: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run.folder)
    monkeypatch.setenv("FOVEA_NATIVE", "0")  # compiling a runner takes longer than all of this
    photo = next(Path("outputs/sample/classes/val/cup").iterdir())
    assert cli.main(["predict", str(photo), "-o", "out", "--model", "outputs/bundle"]) == 0
    found = json.loads(Path("out", f"{photo.stem}.classes.json").read_text())
    assert len(found) == 5
    assert all(NAMES[each["index"]] == each["class"] for each in found)
    shares = [each["probability"] for each in found]
    assert shares == sorted(shares, reverse=True)
    assert 5 / 8 < sum(shares) <= 1


def test_its_backbone_starts_another_network_or_is_refused_by_name(
    run: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = run.folder / "outputs/train/full/model.safetensors"
    monkeypatch.setenv("FOVEA_WEIGHTS_PICTURES", str(trained))
    semantic = ("student=cednet_n", "student.weights=pictures", TINY[-1])
    config = compose(semantic)
    student = initial_student(config, config.student.phases["full"])
    weights, _ = checkpoint.read(trained)
    own = student.state_dict()
    backbone = {name for name in own if name.startswith("backbone.")}
    assert backbone == {name for name in weights if name.startswith("backbone.")}
    assert all(torch.equal(own[name], weights[name]) for name in backbone)
    other = compose([*semantic, "student.overrides.mixer=conv3"])
    with pytest.raises(UserError, match=r"student: cednet_n cannot be built.*expected \(32, 32, 3"):
        initial_student(other, other.student.phases["full"])
