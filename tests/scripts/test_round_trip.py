"""A run packed here, run where only torch is installed, collected there and taken over here."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from pipeline.data import manifest
from pipeline.errors import UserError
from pipeline.files import tree_hash
from scripts.elsewhere.check import check
from scripts.elsewhere.unpack import unpack
from tests.conftest import ROOT
from tests.scripts.elsewhere import extract, plant, run_script

SMALL_PARTS = ("--part-mib", "0.04")


@pytest.fixture(scope="module")
def finished(
    archive: Path, python: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """An unpacked run after run.sh: `prepare` ran, training had been done before."""
    run = extract(archive, tmp_path_factory.mktemp("there"))
    plant(run, "train@finetune", "train/finetune")
    return run, run_script(run, python, *SMALL_PARTS)


@pytest.fixture
def results(finished: tuple[Path, object], tmp_path: Path) -> Path:
    copy = tmp_path / "results"
    shutil.copytree(finished[0] / "results", copy)
    return copy


def test_runs_without_dvc_hydra_and_converters(
    finished: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    run, done = finished
    assert done.returncode == 0, done.stdout + done.stderr
    assert "images: 8 train, 3 val" in done.stdout
    assert "train@finetune was done before" in done.stderr
    assert manifest.roles(run / "outputs/data")["train"]["count"] == 8


def test_lists_the_same_images_as_here(
    finished: tuple[Path, object], here: None, tmp_path: Path
) -> None:
    sources = {"train": manifest.Source("salicon", "salicon", "train")}
    manifest.write(tmp_path / "data", sources)
    ids = [row.id for row in manifest.read_rows(tmp_path / "data", "train")]
    there = [row.id for row in manifest.read_rows(finished[0] / "outputs/data", "train")]
    assert there == ids


def test_validation_is_packed_byte_for_byte(finished: tuple[Path, object], salicon: Path) -> None:
    packed = finished[0] / "data/salicon"
    for part in ("images", "maps", "fixations"):
        assert tree_hash(packed / part / "val") == tree_hash(salicon / part / "val")
    assert not (packed / "fixations/train").exists()


def test_results_are_few_small_flat_files(finished: tuple[Path, object]) -> None:
    files = list((finished[0] / "results").iterdir())
    assert len(files) <= 8
    assert all(file.is_file() for file in files)
    assert max(f.stat().st_size for f in files if f.name != "results.json") <= 0.04 * 2**20
    curves = (finished[0] / "results/curves.csv").read_text().splitlines()
    assert curves[:2] == ["of,epoch,loss,val_CC", "train/finetune,0,0.5,0.1"]


def test_brings_outputs_back_as_they_were(
    finished: tuple[Path, object], results: Path, tmp_path: Path
) -> None:
    into = tmp_path / "home" / "outputs"
    said = unpack(results, into, params=True)
    made = finished[0] / "outputs/train/finetune"
    assert tree_hash(into / "train/finetune") == tree_hash(made)
    assert "dvc commit --force train@finetune" in said
    assert "shrunk for 192x256" in said
    assert (into.parent / "params.yaml").read_text() == (finished[0] / "params.yaml").read_text()
    # The list of the images there is a record, not this workspace's own.
    assert not (into / "data").exists()
    assert (into / "elsewhere/data/manifest.json").is_file()
    assert not list(into.glob(".incoming*"))


def test_a_corrupted_part_is_named_and_nothing_is_changed(results: Path, tmp_path: Path) -> None:
    part = results / "results.001"
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    with pytest.raises(UserError, match=r"results\.001 is corrupted"):
        unpack(results, tmp_path / "outputs")
    assert not list((tmp_path / "outputs").iterdir())


def test_a_missing_part_is_named(results: Path, tmp_path: Path) -> None:
    (results / "results.002").unlink()
    with pytest.raises(UserError, match=r"results\.002 is missing"):
        unpack(results, tmp_path / "outputs")


@pytest.mark.parametrize("path", ["outputs/train/../../../x", "/etc/x", "outputs/report/x"])
def test_paths_that_no_stage_makes_are_refused(results: Path, tmp_path: Path, path: str) -> None:
    index = json.loads((results / "results.json").read_text())
    index["files"][0]["path"] = path
    (results / "results.json").write_text(json.dumps(index))
    with pytest.raises(UserError, match="no stage makes"):
        unpack(results, tmp_path / "outputs")


def test_other_outputs_are_not_replaced_unasked(results: Path, tmp_path: Path) -> None:
    into = tmp_path / "outputs"
    (into / "train/finetune").mkdir(parents=True)
    (into / "train/finetune/model.safetensors").write_bytes(b"mine")
    with pytest.raises(UserError, match="--force"):
        unpack(results, into)
    assert (into / "train/finetune/model.safetensors").read_bytes() == b"mine"
    unpack(results, into, force=True)
    assert (into / "train/finetune/model.safetensors").stat().st_size == 60_000
    unpack(results, into)  # the same again is no conflict


def test_another_configuration_here_is_refused(results: Path, tmp_path: Path) -> None:
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    with pytest.raises(UserError, match="differs from what the run was packed with in data, stud"):
        unpack(results, tmp_path / "outputs")


def test_a_damaged_run_is_refused_before_any_work(archive: Path, tmp_path: Path) -> None:
    run = extract(archive, tmp_path)
    assert "files as packed" in check(run)
    image = next((run / "data/salicon/images/train").iterdir())
    image.write_bytes(np.random.default_rng(0).bytes(100))
    with pytest.raises(UserError, match=f"{image.name} is damaged"):
        check(run)


def test_a_failing_stage_is_reported_and_finished_ones_collected(
    archive: Path, python: Path, tmp_path: Path
) -> None:
    run = extract(archive, tmp_path)
    plant(run, "train@finetune", "train/finetune")
    stated = json.loads((run / "manifest.json").read_text())
    del stated["files"]["pipeline/stages/prepare.py"]
    (run / "manifest.json").write_text(json.dumps(stated))
    (run / "pipeline/stages/prepare.py").write_text("import sys\nsys.exit(3)\n")
    done = run_script(run, python)
    assert done.returncode == 3
    assert not (run / "done/prepare").exists()
    assert (run / "results/results.000").is_file()
