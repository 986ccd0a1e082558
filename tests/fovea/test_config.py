"""`fovea config` shows what choices compose to, and names the nearest one for a wrong name."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fovea.cli import main
from pipeline.config import compose


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main(["config", *arguments]) == 0
    return yaml.safe_load(capsys.readouterr().out)


def test_a_student_composes_to_what_the_pipeline_would_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = shown(capsys, "--student", "fastsal_c", "seed=3")
    assert content["student"]["name"] == "fastsal_c"
    assert content["seed"] == 3
    assert content["student"]["final"] == compose(["student=fastsal_c"]).student.final
    assert shown(capsys) == shown(capsys, "--student", "fastsal_a")


def test_the_choices_are_listed_with_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for path in Path("conf").glob("*/[!_]*.yaml"):
        told = next(line for line in lines if line.split()[:1] == [path.stem])
        assert len(told.split()) > 3, f"{path} does not open with what it is"
    assert "student:" in lines


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--student", "fastsal_b"], "did you mean student=fastsal_"),
        (["data=salicn"], "did you mean data=salicon?"),
        (["student.epochs=3"], "epochs"),
        (["seed=soon"], "soon"),
        (["fastsal_c"], "'fastsal_c' is no KEY=VALUE"),
    ],
)
def test_wrong_names_and_types_are_told(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_elsewhere_it_says_where_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["config"]) == 2
    assert "run from the project's folder" in capsys.readouterr().err
