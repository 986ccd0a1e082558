"""A Core ML recipe goes through every stage where it cannot run, and is never hidden."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mobile.bundle import verify
from mobile.export import ExportReport
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
from pipeline.report.read import exported
from pipeline.stages import bundle, check, export, latency
from tests.data import trees
from tests.mobile.realistic import fastsal

CONF = Path(__file__).resolve().parents[2] / "conf"
RECIPE = "coreml_int8_weights"
REASON = f"Core ML runs on Apple's systems only, this is {platform.system()}"
pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(platform.system() == "Darwin", reason="there the file is executed"),
]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    """All mobile stages run for one recipe, in a folder of their own."""
    home, before = tmp_path_factory.mktemp("workspace"), Path.cwd()
    roles = [f"++data.{role}.root=photos" for role in ("train", "val")]
    quick = ["latency.iterations=3", "latency.repeats=1", "latency.warmup=1", "latency.threads=1"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOVEA_DATA_PHOTOS", str(home / "photos"))
        patch.setenv("FOVEA_SHELF", str(home / "shelf"))
        os.chdir(home)
        try:
            config = compose(
                ["student=fastsal_c", "phases=truth", f"export.recipes=[{RECIPE}]",
                 "++data.pool=null", "++data.calibration=2", *roles, *quick], CONF
            )  # fmt: skip
            write_inputs(config)
            run(export, config, RECIPE)
            run(check, config, RECIPE)
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
    write_json(METRICS, {})
    header = {"kind": "student", "model": "fastsal_c", "overrides": {}, "height": 192, "width": 256}
    weights = fastsal("fastsal_c").state_dict()
    checkpoint.write(Path(config.student.final) / MODEL, weights, header)


def test_check_states_the_reason_and_inspects_instead(workspace: Config) -> None:
    checked = read_json(CHECK / f"{RECIPE}.json")
    assert (checked["executed"], checked["reason"]) == (False, REASON)
    assert (checked["parity"], checked["metrics"], checked["constants"]) == (None, None, [])
    assert (checked["delegated"], checked["nodes"], checked["partitions"]) == (None, None, None)
    seen = read_json(CHECK / RECIPE / INSPECTION)
    assert (seen["kind"], seen["target"]) == ("ML Program", "iOS16")
    assert seen["weights"]["matched"] == seen["weights"]["total"] == 61
    assert seen["replay"]["images"] == 3
    assert seen["problems"] == checked["problems"] == []
    # No map may look as if the file had made it.
    assert [path.name for path in (CHECK / RECIPE).iterdir()] == [INSPECTION]


def test_latency_has_torch_alone_and_the_reason(workspace: Config) -> None:
    assert [row.recipe for row in read_lines(LATENCY_ROWS)] == ["torch_eager"]
    assert read_json(LATENCY)[RECIPE] == {"not_measured": REASON}


def test_the_bundle_holds_the_package_and_says_it_was_not_executed(workspace: Config) -> None:
    assert verify(BUNDLE) == []
    content = read_manifest(BUNDLE)
    entry = content["artefacts"][RECIPE]
    assert (entry["executed"], entry["reason"], entry["latency"]) == (False, REASON, [])
    assert entry["inspection"]["weights"]["stored"] == {"fp16": 11, "int8": 50}
    assert entry["bounds"] == {"max_abs": None, "min_cc": 0.99}
    assert [golden["outputs"] for golden in content["golden"]] == [{}, {}, {}]
    assert all((BUNDLE / golden["torch"]).is_file() for golden in content["golden"])
    assert json.dumps(content, allow_nan=False)


def test_the_report_knows_the_file_without_figures(workspace: Config) -> None:
    report = dataclasses.asdict(ExportReport.read(EXPORTS / RECIPE / "export.json"))
    file = exported(report, read_json(CHECK / f"{RECIPE}.json"), "summary", None)
    assert (file.executed, file.reason, dict(file.metrics)) == (False, REASON, {})
    assert file.bytes == report["bytes"]
    assert file.inspection is not None


def test_a_changed_package_is_not_checked(workspace: Config) -> None:
    weights = next((EXPORTS / RECIPE).rglob("weight.bin"))
    whole = weights.read_bytes()
    try:
        weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(UserError, match="is damaged or was replaced"):
            run(check, workspace, RECIPE)
    finally:
        weights.write_bytes(whole)
