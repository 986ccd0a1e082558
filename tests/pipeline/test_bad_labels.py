"""A damaged label store in a finished workspace: training refuses it, labelling mends it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.files import tree_hash
from tests.conftest import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workspace(done: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the finished one."""
    base = tmp_path_factory.mktemp("labels")
    shutil.copytree(done.folder, base / "checkout", symlinks=True)
    scratch = {"FOVEA_SCRATCH": str(base / "scratch")}
    return Workspace(base / "checkout", done.environment | scratch)


def test_a_damaged_shard_is_refused_named_and_labelled_again(workspace: Workspace) -> None:
    labels = workspace.folder / "outputs/labels/salgan"
    whole = tree_hash(labels)
    trained = tree_hash(workspace.folder / "outputs/train/finetune")
    shard = labels / "shard-00003.u8"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    failed = workspace.stage("train", "finetune", check=False)
    assert failed.returncode == 2
    assert "shard-00003.u8 is corrupted (its SHA-256" in failed.stderr
    assert "mend it with `python -m pipeline.stages.label salgan`" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert tree_hash(workspace.folder / "outputs/train/finetune") == trained
    mended = workspace.stage("label", "salgan")
    assert "salgan: labelled 1 of 5 shards" in mended.stdout
    assert tree_hash(labels) == whole


def test_ranks_at_once_make_the_store_of_one_process(workspace: Workspace, tmp_path: Path) -> None:
    labels = workspace.folder / "outputs/labels/salgan"
    whole = tree_hash(labels)
    shutil.rmtree(labels)
    ranks = []
    for number in range(2):
        environment = workspace.environment | {"RANK": str(number), "WORLD_SIZE": "2"}
        log = (tmp_path / f"rank{number}.log").open("w")
        ranks.append(
            subprocess.Popen(
                [sys.executable, "-m", "pipeline.stages.label", "salgan"],
                cwd=workspace.folder,
                env=environment,
                stdout=log,
                stderr=log,
            )
        )
    codes = [process.wait(timeout=300) for process in ranks]
    said = [(tmp_path / f"rank{number}.log").read_text() for number in range(2)]
    assert codes == [0, 0], said
    assert "labelled 3 of 5 shards" in said[0]
    assert "labelled 2 of 5 shards" in said[1]
    assert sum("40 maps by salgan in outputs/labels/salgan" in text for text in said) == 1
    assert tree_hash(labels) == whole
    assert [p for p in Path(workspace.environment["FOVEA_SCRATCH"]).iterdir() if p.is_dir()] == []
