"""`fovea gate` over a bundle's manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fovea.cli import main
from tests.conftest import ROOT
from tests.report import workspace


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    def entry(name: str, low: float) -> dict[str, Any]:
        losses = {"torch": 2.0, "difference": low / 2, "low": low, "high": 0.0}
        return {
            "recipe": name,
            "path": "",
            "bytes": 3_000_000,
            "delegation": None,
            "parity": {"max_abs_max": 2.0, "cc_min": 0.99},
            "metrics": {
                "metrics": {"NSS": losses, "CC": losses},
                "strata": {"crowded": {"images": 12, "CC": losses}, "low contrast": {"images": 3}},
                "problems": [],
                "parameters": 3_000_000,
            },
            "latency": [],
        }

    content = {
        "schema": 1,
        "spec": {"task": "saliency"},
        "artefacts": {
            "executorch_int8": entry("executorch_int8", -0.01),
            "litert_int8": entry("litert_int8", -0.1),
            "coreml_fp16": entry("coreml_fp16", 0.0)
            | {"metrics": {"metrics": None, "strata": None, "problems": []}, "parity": None},
        },
        "golden": [],
        **{name: {} for name in ("files", "lineage", "versions")},
        "input": {"resize": {"name": "triangle"}},
        "output": {"meaning": "logits"},
    }
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


def test_a_breach_is_a_line_with_its_way_out_and_status_1(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gate", str(bundle)]) == 1
    said = capsys.readouterr().out
    assert "litert_int8" in said
    assert "at worst 5.00% of torch's 2.0000" in said
    assert "budget.metric_loss" in said
    assert "executorch_int8" not in said
    assert "coreml_fp16: not executed" in said
    assert "2 of 3 files are within the budget" in said


def test_a_bound_of_ones_own(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", str(bundle), "budget.metric_loss=0.05"]) == 0
    assert main(["gate", str(bundle), "budget.size_mib=2", "--recipe", "executorch_int8"]) == 1
    assert "2.86 MiB" in capsys.readouterr().out


def test_a_file_whose_weights_came_out_too_large_is_seen(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (bundle / "manifest.json").read_text()
    (bundle / "manifest.json").write_text(text.replace("3000000", "600000", 1))
    assert main(["gate", str(bundle), "--recipe", "executorch_int8"]) == 1
    assert "bytes a parameter" in capsys.readouterr().out


def test_all_shows_what_passed(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["gate", str(bundle), "--all", "--recipe", "executorch_int8"])
    assert "ok" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "nowhere holds no bundle"),
        (["seed=1"], "only budget.KEY=VALUE"),
        (["budget.metric_los=1"], "metric_loss"),
        (["--recipe", "litert_int9"], "did you mean"),
        (["a", "b"], "2 bundles are given"),
    ],
)
def test_bad_use_is_one_line(
    bundle: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    given = arguments if arguments[0] in {"nowhere", "a"} else [str(bundle), *arguments]
    assert main(["gate", *given]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_hard_images_are_judged_on_request(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gate", str(bundle), "budget.stratum_loss=0.04", "budget.metric_loss=0.06"]) == 1
    assert "CC loss, crowded" in capsys.readouterr().out


def test_a_bundle_as_the_pipeline_writes_it_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOVEA_DATA_PHOTOS", str(tmp_path / "photos"))
    workspace.write(workspace.configuration())
    monkeypatch.chdir(ROOT)
    assert main(["gate", str(tmp_path), "--recipe", "executorch_int8", "--all"]) == 0
    said = capsys.readouterr().out
    assert "at worst 0.48% of torch's 0.6200" in said
    assert "120 of 124 nodes" in said
    assert main(["gate", str(tmp_path), "--recipe", "coreml_fp16"]) == 0
    assert "not executed where it was checked" in capsys.readouterr().out
