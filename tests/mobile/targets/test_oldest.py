"""The real tflite-runtime 2.14.0, installed for the session where packages can be had."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from fovea.cli import main
from mobile.backend import Array
from mobile.targets import get, names
from mobile.targets.check import check
from mobile.targets.oldest import Oldest
from mobile.targets.registry import RefusedError, register
from pipeline.errors import UserError
from tests.mobile.conftest import Export


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOVEA_CACHE", str(folder))
        try:
            Oldest().setup()
        except UserError as error:
            pytest.skip(f"tflite-runtime 2.14.0 cannot be had here: {error}")
    return folder


@pytest.fixture
def oldest(home: Path, monkeypatch) -> Oldest:
    monkeypatch.setenv("FOVEA_CACHE", str(home))
    return Oldest()


FILES = [
    "litert_fp32",
    "litert_fp16",
    "litert_int8",
    "litert_int8_weights",
    "litert_16x8",
]


@pytest.mark.parametrize("name", FILES)
def test_every_litert_recipe_runs_alike(
    name: str, oldest: Oldest, exports: dict[str, Export], images: list[Array]
) -> None:
    found = check(oldest, exports[name].file, images[:3])
    assert found.runs, found.refused
    assert found.alike
    assert (found.target, found.images) == ("oldest", 3)


def test_a_file_it_does_not_take_is_told_in_its_words(
    oldest: Oldest, exports: dict[str, Export], images: list[Array], tmp_path: Path
) -> None:
    damaged = tmp_path / "model.tflite"
    damaged.write_bytes(exports["litert_fp32"].file.read_bytes()[:4096])
    with pytest.raises(RefusedError) as refused:
        oldest.ask(damaged, [np.ascontiguousarray(images[0].transpose(0, 2, 3, 1))])
    assert str(refused.value)


def test_a_refusal_is_a_result(exports: dict[str, Export], images: list[Array]) -> None:
    class Older(Oldest):
        def outputs(self, path: Path, images: Sequence[Array]) -> list[Array]:
            raise RefusedError("Didn't find op for builtin opcode 'CONV_2D' version '9'")

    found = check(Older(), exports["litert_fp32"].file, images[:1])
    assert not found.runs
    assert not found.alike
    assert "version '9'" in (found.refused or "")


def test_the_command_compares_and_records(
    oldest: Oldest, exports: dict[str, Export], tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    file = exports["litert_fp32"].file
    assert main(["target", "check", str(file), "--on", "oldest", "--images", "2"]) == 0
    assert "runs alike" in capsys.readouterr().out
    (kept,) = json.loads((tmp_path / "outputs/targets/oldest.json").read_text())
    assert (kept["runs"], kept["images"], kept["refused"]) == (True, 2, None)
    assert main(["target", "list"]) == 0
    assert "ready" in capsys.readouterr().out


def test_without_its_environment_it_says_how_to_make_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("FOVEA_CACHE", str(tmp_path))
    assert "fovea target setup oldest" in (Oldest().refusal() or "")
    with pytest.raises(UserError, match="fovea target setup oldest"):
        Oldest().outputs(tmp_path / "model.tflite", [])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["check", "outputs", "--on", "oldst"], "did you mean 'oldest'"),
        (["setup", "newest"], "no target is called 'newest'"),
    ],
)
def test_bad_use_is_one_line(capsys, arguments: list[str], says: str) -> None:
    assert main(["target", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_targets_are_found_by_name() -> None:
    assert "oldest" in names()
    with pytest.raises(ValueError, match="twice"):
        register(get("oldest"))
