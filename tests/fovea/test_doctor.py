"""`fovea doctor` tells what works, what is missing and what to do, and fails for what is needed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fovea.cli import main
from fovea.doctor import place, stack
from fovea.doctor.finding import Mark, tried
from tests.fovea.conftest import Made, copied

ROOT = Path(__file__).resolve().parents[2]


def test_on_a_whole_machine_nothing_is_broken(
    shelve: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    shelve()
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    told = {line[2:].split("  ")[0]: line[0] for line in lines if line[0] in "✓–✗"}
    needed = (
        "Python",
        "PyTorch",
        "ExecuTorch",
        "LiteRT",
        "Core ML",
        "DVC",
        "model to predict with",
    )
    assert {name: told[name] for name in needed} == dict.fromkeys(needed, "✓")
    assert told["torchvision weights"] == "–"
    assert lines[-1] == "nothing is broken"


def test_an_import_that_fails_or_dies_is_told_and_harms_nothing() -> None:
    assert tried("print('first'); print('last')") == (True, "last")
    assert tried("import nothing_of_this_name")[0] is False
    assert "nothing_of_this_name" in tried("import nothing_of_this_name")[1]
    good, said = tried("import os; os.abort()")
    assert not good
    assert "status" in said


def test_a_checkout_that_lost_its_schema_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert stack.dvc().mark is Mark.ABSENT
    copied(ROOT / ".dvc" / "config", tmp_path / ".dvc" / "config")
    copied(ROOT / "conf", tmp_path / "conf")
    assert stack.dvc().mark is Mark.WORKS
    shutil.rmtree(tmp_path / "conf" / "hydra_plugins")
    finding = stack.dvc()
    assert finding.mark is Mark.BROKEN
    assert "git checkout" in finding.mend


def test_roots_that_are_gone_or_empty_are_told(tmp_path: Path) -> None:
    folder, weights = tmp_path / "photos", tmp_path / "weights.npz"
    folder.mkdir()
    weights.write_bytes(b"PK\3\4 and so on")
    assert main(["data", "add", "photos", str(folder)]) == 0
    assert main(["weights", "add", "salgan", str(weights)]) == 0
    empty, sound = place.roots()
    assert (empty.mark, sound.mark) == (Mark.ABSENT, Mark.WORKS)
    assert "is empty" in empty.text
    weights.unlink()
    folder.rmdir()
    assert [finding.mark for finding in place.roots()] == [Mark.ABSENT, Mark.ABSENT]
    assert "fovea data remove photos" in place.roots()[0].mend


def test_the_model_is_run_and_compared_with_its_golden_output(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert place.model().mark is Mark.ABSENT
    bundle = copied(made.bundle, tmp_path / "outputs" / "bundle")
    finding = place.model()
    assert finding.mark is Mark.WORKS
    assert "agrees with its golden output (CC 1.0000)" in finding.text
    golden = bundle / "golden"
    shutil.copyfile(golden / "image0.png", golden / "kept.png")
    from PIL import Image, ImageOps

    with Image.open(golden / "kept.png") as image:
        ImageOps.mirror(image).save(golden / "image0.png")
    assert place.model().mark is Mark.BROKEN
    file = next((bundle / "artefacts" / "executorch_int8").glob("*.pte"))
    file.write_bytes(file.read_bytes()[:-1])
    assert "damaged" in place.model().text


def test_disk_space_is_told_for_every_place(tmp_path: Path) -> None:
    found = place.disk()
    assert [finding.what for finding in found] == ["disk"] * 3
    assert any(str(tmp_path / "shelf") in finding.text for finding in found)
    assert place.memory().mark is not Mark.BROKEN
