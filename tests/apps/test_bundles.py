"""Bundles on their way into an app: cut to what it runs, whole by their manifest, or refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fovea.cli import main
from mobile.bundle import verify
from mobile.contract import install
from mobile.export import open_runner
from mobile.manifest import read_manifest
from pipeline.data.classes import get
from pipeline.errors import UserError
from tests.apps import small


def test_an_app_gets_what_it_can_run_and_a_manifest_of_just_that(
    bundles: dict[str, Path], tmp_path: Path
) -> None:
    wanted = {"web": {"litert_fp32", "litert_int8"}, "ios": {"executorch_fp32"}}
    wanted["android"] = wanted["web"] | wanted["ios"]
    for name, recipes in wanted.items():
        home = install.install(bundles["fastsal_a"], install.get(name), tmp_path / name)
        assert verify(home) == []  # nothing is missing, nothing is there that is not listed
        content = read_manifest(home)
        assert set(content["artefacts"]) == recipes
        assert {path.name for path in (home / "artefacts").iterdir()} == recipes
        for golden in content["golden"]:
            assert set(golden["outputs"]) == recipes
        assert json.loads((tmp_path / name / "index.json").read_text()) == {
            "schema": 1,
            "bundles": ["fastsal_a"],
        }


def test_golden_vectors_are_what_the_installed_file_gives(
    bundles: dict[str, Path], tmp_path: Path
) -> None:
    for name, bundle in bundles.items():
        home = install.install(bundle, install.get("web"), tmp_path)
        content = read_manifest(home)
        runner = open_runner(home / content["artefacts"]["litert_fp32"]["path"])
        for golden in content["golden"]:
            pixels = np.asarray(Image.open(home / golden["input"]).convert("RGB"), np.float32)
            found = runner.run(pixels.transpose(2, 0, 1)[None])
            kept = np.load(home / golden["outputs"]["litert_fp32"]["path"])
            assert np.array_equal(found, kept)
            assert kept.std() > 0.5, name  # flat outputs would prove nothing
    assert small.listed(tmp_path) == sorted(bundles)


def test_classes_are_named_and_coloured(bundles: dict[str, Path]) -> None:
    output = read_manifest(bundles["fastsal_a_semantic"])["output"]
    assert [each["name"] for each in output["classes"]] == list(get("sample").classes)
    assert output["classes"][0]["colour"] == "#484848"
    assert "classes" not in read_manifest(bundles["fastsal_a"])["output"]


def test_installing_again_replaces_and_removing_leaves_the_others(
    bundles: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = ("--app", "web", "--to", str(tmp_path))
    for name in ("fastsal_a", "fastsal_a", "fastsal_a_objects"):
        assert main(["bundle", "install", str(bundles[name]), *to]) == 0
    assert "litert_fp32, litert_int8; " in capsys.readouterr().out
    assert main(["bundle", "list", *to]) == 0
    assert capsys.readouterr().out.split() == ["fastsal_a", "fastsal_a_objects"]
    assert main(["bundle", "remove", "fastsal_a", *to]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fastsal_a_objects", "index.json"]
    assert small.listed(tmp_path) == ["fastsal_a_objects"]
    assert main(["bundle", "remove", "fastsal_a", *to]) == 2
    assert "has no bundle called 'fastsal_a'" in capsys.readouterr().err


def test_a_student_is_found_on_the_shelf_by_name_and_by_hash(
    bundles: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FOVEA_SHELF", str(tmp_path / "shelf"))
    shutil.copytree(bundles["fastsal_a"], tmp_path / "shelf/fastsal_a/ab12/bundle")
    to = ("--app", "android", "--to", str(tmp_path / "app"))
    for given in ("fastsal_a", "ab1"):
        assert main(["bundle", "install", given, *to]) == 0
        shutil.rmtree(tmp_path / "app")
    assert main(["bundle", "install", "fastsal_b", *to]) == 2
    assert (
        "neither a bundle's folder nor on the shelf (it has fastsal_a)" in capsys.readouterr().err
    )


def test_a_bundle_that_is_not_whole_changes_nothing(
    bundles: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(bundles["fastsal_a"], damaged)
    model = damaged / "artefacts/litert_int8/model.tflite"
    model.write_bytes(model.read_bytes()[:-1])
    app = tmp_path / "app"
    install.install(bundles["fastsal_a"], install.get("web"), app)
    before = {path: path.read_bytes() for path in app.rglob("*") if path.is_file()}
    assert main(["bundle", "install", str(damaged), "--app", "web", "--to", str(app)]) == 2
    assert "artefacts/litert_int8/model.tflite has" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in app.rglob("*") if path.is_file()} == before
    assert main(["bundle", "verify", str(damaged)]) == 1
    assert main(["bundle", "verify", str(bundles["fastsal_a"])]) == 0


def test_nothing_that_the_app_runs_is_said_with_what_to_do(
    bundles: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"nothing the ios app can run .* Export a recipe"):
        install.install(bundles["fastsal_a_objects"], install.get("ios"), tmp_path / "app")
    assert not (tmp_path / "app").exists()
    with pytest.raises(UserError, match="did you mean 'android'"):
        install.get("androd")


def test_every_app_that_the_command_names_is_there() -> None:
    from fovea.commands import bundle

    assert tuple(install.APPS) == bundle.APPS
    for app in install.APPS.values():
        assert app.home.startswith(f"mobile/apps/{app.name}/")
