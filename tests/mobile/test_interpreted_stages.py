"""Core ML's files go through every stage where Core ML is not: interpreted, or said not to run."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fovea import bench
from fovea.cli import main
from mobile import history
from mobile.bundle import verify
from mobile.latency_row import read_lines
from mobile.manifest import read_manifest
from pipeline import checkpoint
from pipeline.config import Config, compose
from pipeline.data import manifest
from pipeline.data.manifest import Source
from pipeline.data.resize import NAME
from pipeline.errors import UserError
from pipeline.files import read_json, write_json
from pipeline.paths import (
    BUNDLE,
    CALIBRATION,
    CHECK,
    DATA,
    EXPORTS,
    INSPECTION,
    LATENCY,
    LATENCY_ROWS,
    METRICS,
    MODEL,
)
from pipeline.report.artefacts import of_run
from pipeline.report.page import problems
from pipeline.report.tables import file_lines
from pipeline.report.verdict import passes
from pipeline.stages import bundle, check, evaluate, export, latency, report
from tests.data import trees
from tests.mobile.realistic import fastsal

CONF = Path(__file__).resolve().parents[2] / "conf"
RECIPE, UNEXECUTED = "coreml_int8_weights", "executorch_coreml"
EXECUTOR = "reference interpreter (not Core ML's runtime)"
UNTIMED = f"run by the {EXECUTOR}, whose time is not Core ML's: time it on macOS"
REASON = f"ExecuTorch's Core ML delegate runs on Apple's systems only, this is {platform.system()}"
pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(platform.system() == "Darwin", reason="there Core ML executes both"),
]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    """All mobile stages run for two recipes, in a folder of their own."""
    home, before = tmp_path_factory.mktemp("workspace"), Path.cwd()
    roles = [f"++data.{role}.root=photos" for role in ("train", "val")]
    quick = ["latency.iterations=3", "latency.repeats=1", "latency.warmup=1", "latency.threads=1"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOVEA_DATA_PHOTOS", str(home / "photos"))
        patch.setenv("FOVEA_SHELF", str(home / "shelf"))
        patch.setenv("FOVEA_HISTORY", str(home / "history.jsonl"))
        os.chdir(home)
        try:
            config = compose(
                ["student=fastsal_c", "phases=truth", f"export.recipes=[{RECIPE},{UNEXECUTED}]",
                 "++data.pool=null", "++data.calibration=2", *roles, *quick], CONF
            )  # fmt: skip
            write_inputs(config)
            run(evaluate, config)
            for name in config.export.recipes:
                run(export, config, name)
                run(check, config, name)
            run(latency, config)
            run(bundle, config)
            yield config
        finally:
            os.chdir(before)


def run(stage: Any, *arguments: Any) -> None:
    """What the entry does once the configuration is read."""
    stage.main.__wrapped__(*arguments)


def write_inputs(config: Config) -> None:
    trees.salicon(Path("photos"), "train", 3)
    trees.salicon(Path("photos"), "val", 3, first=10)
    train = Source(config.data.train.layout, "photos", "train")
    manifest.write(DATA, {"train": train, "val": dataclasses.replace(train, split="val")})
    rows = manifest.read_rows(DATA, "train")
    write_json(CALIBRATION, manifest.calibration(rows, 2, config.seed, NAME))
    header = {
        "kind": "student", "model": "fastsal_c", "overrides": {}, "height": 192, "width": 256,
        "versions": {},
    }  # fmt: skip
    weights = fastsal("fastsal_c").state_dict()
    checkpoint.write(Path(config.student.final) / MODEL, weights, header)


def test_check_measures_what_the_interpreter_gives_and_says_so(workspace: Config) -> None:
    checked = read_json(CHECK / f"{RECIPE}.json")
    assert (checked["executed"], checked["reason"]) == (True, None)
    assert (checked["executor"], checked["untimed"]) == (EXECUTOR, UNTIMED)
    assert checked["parity"]["images"] == 3
    assert 0.99 < checked["parity"]["cc_min"] < 1
    assert {row["name"] for row in checked["constants"]} == {"black", "white", "noise"}
    torch_mean = read_json(METRICS)["student"]["CC"]
    assert checked["metrics"]["CC"]["torch"] == pytest.approx(torch_mean, abs=1e-4)
    assert checked["metrics"]["CC"]["difference"] != 0
    assert checked["strata"]["low contrast"] == {"images": 1}  # of three; too few to judge by
    assert any((CHECK / RECIPE).glob("*.npy"))
    seen = read_json(CHECK / RECIPE / INSPECTION)
    assert (seen["kind"], seen["target"]) == ("ML Program", "iOS16")
    assert seen["weights"]["matched"] == seen["weights"]["total"] == 61
    assert seen["problems"] == []


def test_check_states_why_a_file_was_not_executed(workspace: Config) -> None:
    checked = read_json(CHECK / f"{UNEXECUTED}.json")
    assert (checked["executed"], checked["reason"]) == (False, REASON)
    assert (checked["executor"], checked["untimed"]) == (None, None)
    assert (checked["parity"], checked["metrics"], checked["constants"]) == (None, None, [])
    assert checked["delegated"] == checked["nodes"] > 100
    # No map may look as if the file had made it.
    assert [path.name for path in (CHECK / UNEXECUTED).iterdir()] == [INSPECTION]


def test_latency_has_torch_alone_and_the_reasons(workspace: Config) -> None:
    assert [row.recipe for row in read_lines(LATENCY_ROWS)] == ["torch_eager"]
    assert [entry.row.recipe for entry in history.read(Path("history.jsonl"))] == ["torch_eager"]
    assert read_json(LATENCY)[RECIPE] == {"not_measured": UNTIMED}
    assert read_json(LATENCY)[UNEXECUTED] == {"not_measured": REASON}


def test_the_bundle_says_what_executed_each_file(workspace: Config) -> None:
    assert verify(BUNDLE) == []
    content = read_manifest(BUNDLE)
    entry, other = (content["artefacts"][name] for name in (RECIPE, UNEXECUTED))
    assert (entry["executed"], entry["executor"], entry["latency"]) == (True, EXECUTOR, [])
    assert entry["inspection"]["weights"]["stored"] == {"fp16": 11, "int8": 50}
    assert entry["bounds"] == {"max_abs": None, "min_cc": 0.99}
    assert (other["executed"], other["reason"], other["executor"]) == (False, REASON, None)
    for golden in content["golden"]:
        assert golden["outputs"].keys() == {RECIPE}
        assert golden["outputs"][RECIPE]["executor"] == EXECUTOR
    assert json.dumps(content, allow_nan=False)


def test_the_report_shows_accuracy_without_time(workspace: Config) -> None:
    facts = report.gather(workspace)
    entry, other = facts.files
    assert (entry.executed, entry.executor, entry.timing) == (True, EXECUTOR, None)
    assert (other.executed, other.reason, dict(other.metrics)) == (False, REASON, {})
    (line,) = [line for line in file_lines(facts) if line.title == "Core ML int8 weights"]
    assert line.note.endswith(f"by the {EXECUTOR}")
    assert line.cells[2].notes == ["not timed here"]
    assert not [said for _, said in problems(facts) if "latency" in said]
    assert all(EXECUTOR in p.said for p in passes(facts.files) if p.tone == "good")
    own = {artefact.title: artefact for artefact in of_run(facts)}
    assert own["Core ML int8 weights"].reason == UNTIMED
    assert not own["Core ML int8 weights"].placed


def test_bench_leaves_it_out_with_the_reason(workspace: Config) -> None:
    with pytest.raises(UserError, match="nothing here can be timed on this machine") as caught:
        bench.subjects([str(EXPORTS / RECIPE)])
    assert UNTIMED in str(caught.value)


def test_predict_says_what_runs_it(
    workspace: Config, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    photo = next(Path("photos").rglob("*.jpg"))
    model = str(EXPORTS / RECIPE)
    assert main(["predict", str(photo), "-o", str(tmp_path), "--model", model]) == 0
    assert f"run by the {EXECUTOR}" in capsys.readouterr().err
    assert len(list(tmp_path.rglob("*.png"))) == 1


def test_a_changed_package_is_not_checked(workspace: Config) -> None:
    weights = next((EXPORTS / RECIPE).rglob("weight.bin"))
    whole = weights.read_bytes()
    try:
        weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(UserError, match="is damaged or was replaced"):
            run(check, workspace, RECIPE)
    finally:
        weights.write_bytes(whole)
