"""CONTRIBUTING.md tried by following it: its examples are put where they say, and used."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence

import pytest

from tests.conftest import ROOT, TINY, Workspace

pytestmark = pytest.mark.slow

BLOCK = re.compile(
    r"^```(?:python|yaml)\n# (append to )?(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)


@pytest.fixture(scope="module")
def extended(make_workspace: Callable[[Sequence[str]], Workspace]) -> Workspace:
    """A checkout with every example of CONTRIBUTING.md in place."""
    workspace = make_workspace(TINY)
    blocks = BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text())
    assert len(blocks) >= 7
    for addition, name, content in blocks:
        path = workspace.folder / name
        assert path.exists() == bool(addition), name
        before = path.read_text() + "\n\n" if addition else ""
        path.write_text(before + content)
    return workspace


@pytest.fixture(scope="module")
def taught(extended: Workspace) -> Workspace:
    """The example student, taught by the example teacher, up to its exported file."""
    data = extended.folder / "beside"
    extended.stage("sample")
    shutil.copytree(extended.folder / "outputs/sample/salicon/images/train", data / "train")
    maps = extended.folder / "outputs/sample/salicon/maps/train"
    for path in maps.iterdir():
        shutil.copy(path, data / "train" / path.name)
    extended.environment["FOVEA_DATA_BESIDE"] = str(data)
    extended.environment["FOVEA_DATA_SALICON"] = str(extended.folder / "outputs/sample/salicon")
    extended.compose(
        "student=strided", "data=beside", "profile=small", "teacher=centre", "phases=labels",
        "data.calibration=6", "data.val.limit=4", "profile.finetune_epochs=1", "machine.workers=0",
        "profile.batch=8",
    )  # fmt: skip
    for stage in ("prepare", "teacher centre", "label centre", "train finetune", "evaluate",
                  "export executorch_strict", "check executorch_strict"):  # fmt: skip
        extended.stage(*stage.split())
    return extended


def test_the_examples_are_in_the_style_of_the_house(extended: Workspace) -> None:
    files = ["students/strided.py", "teachers/centre.py", "pipeline/data/layouts/beside.py",
             "mobile/backends/executorch_strict.py"]  # fmt: skip
    extended.run("ruff", "check", *files)
    extended.run("ruff", "format", "--check", *files)
    extended.run("mypy", *files)


def test_a_new_student_is_tested_with_no_other_change(extended: Workspace) -> None:
    tests = extended.run("python", "-m", "pytest", "-q", "tests/students/test_every_student.py",
                         "-k", "strided")  # fmt: skip
    assert re.search(r"[4-9] passed", tests.stdout)


def test_it_learns_from_the_new_teacher_and_data_set(taught: Workspace) -> None:
    roles = json.loads((taught.folder / "outputs/data/manifest.json").read_text())["roles"]
    assert roles["train"]["count"] == 24
    shown = (taught.folder / "outputs/train/finetune/epochs.csv").read_text()
    assert "val_CC" in shown


def test_its_file_agrees_with_torch(taught: Workspace) -> None:
    check = json.loads((taught.folder / "outputs/check/executorch_strict.json").read_text())
    assert check["problems"] == []
