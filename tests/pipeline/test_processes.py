"""Several processes, for real: the same labels for any number, training that survives a lost rank.

gloo on the CPU; two processes train FastSal (A) on tiny generated scenes.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pipeline.files import tree_hash
from tests.conftest import TINY, Workspace

pytestmark = pytest.mark.slow

PAIR = (*TINY, "machine.processes=2", "profile.finetune_epochs=2", "phases=labels")
OUTPUT = Path("outputs/train/finetune")
TRAIN = (sys.executable, "-m", "pipeline.stages.train", "finetune")


@pytest.fixture(scope="module")
def workspace(done: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the finished one, with data, teacher and labels, set to two processes."""
    base = tmp_path_factory.mktemp("processes")
    shutil.copytree(done.folder, base / "checkout", symlinks=True)
    copy = Workspace(base / "checkout", done.environment | {"FOVEA_SCRATCH": str(base / "scratch")})
    copy.compose(*PAIR)
    return copy


@pytest.fixture(scope="module")
def undisturbed(workspace: Workspace) -> dict[str, str]:
    """What two processes make when nobody disturbs them."""
    shutil.rmtree(workspace.folder / OUTPUT)
    workspace.stage("train", "finetune")
    return files(workspace)


def files(workspace: Workspace) -> dict[str, str]:
    """Hashes of all that the phase leaves, losses step by step among them."""
    return {path.name: tree_hash(path) for path in (workspace.folder / OUTPUT).iterdir()}


def rank(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("RANK")
    except psutil.Error:
        return None


def wait_for_state(workspace: Workspace, process: subprocess.Popen[str]) -> Path:
    """The scratch folder of the phase once its first epoch is saved."""
    scratch = Path(workspace.environment["FOVEA_SCRATCH"])
    for _ in range(3000):
        for state in scratch.glob("train-finetune-*/state.pt"):
            return state.parent
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("no epoch was saved in time")


def start(workspace: Workspace) -> subprocess.Popen[str]:
    return subprocess.Popen(
        TRAIN, cwd=workspace.folder, env=workspace.environment, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_lost_rank_ends_the_training_in_words_and_the_next_run_goes_on_exactly(
    workspace: Workspace, undisturbed: dict[str, str]
) -> None:
    shutil.rmtree(workspace.folder / OUTPUT)
    process = start(workspace)
    folder = wait_for_state(workspace, process)
    second = [p for p in psutil.Process(process.pid).children(recursive=True) if rank(p) == "1"]
    assert second
    os.kill(second[0].pid, signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "rank 1 of 2 was lost" in said
    assert "Traceback" not in said
    assert not (workspace.folder / OUTPUT).exists()
    assert folder.is_dir()
    again = workspace.stage("train", "finetune")
    assert f"going on from {folder}" in again.stderr
    assert files(workspace) == undisturbed


def test_everything_killed_at_once_goes_on_exactly_with_other_loaders(
    workspace: Workspace, undisturbed: dict[str, str]
) -> None:
    shutil.rmtree(workspace.folder / OUTPUT)
    process = start(workspace)
    wait_for_state(workspace, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    workspace.compose(*PAIR, "machine.workers=1")  # which changes nothing, not even the folder
    again = workspace.stage("train", "finetune")
    workspace.compose(*PAIR)
    assert "going on from" in again.stderr
    assert files(workspace) == undisturbed


def test_another_number_of_processes_cannot_take_a_training_up(
    workspace: Workspace, undisturbed: dict[str, str]
) -> None:
    shutil.rmtree(workspace.folder / OUTPUT)
    process = start(workspace)
    folder = wait_for_state(workspace, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    workspace.compose(*PAIR, "machine.processes=1")
    refused = workspace.stage("train", "finetune", check=False)
    workspace.compose(*PAIR)
    assert refused.returncode == 2
    assert "was begun with 2 processes and cannot go on with 1" in refused.stderr
    assert "Traceback" not in refused.stderr
    workspace.stage("train", "finetune")
    assert not folder.exists()
    assert files(workspace) == undisturbed


def test_a_batch_that_processes_cannot_share_is_refused(workspace: Workspace) -> None:
    workspace.compose(*PAIR, "profile.batch=7")
    refused = workspace.stage("train", "finetune", check=False)
    workspace.compose(*PAIR)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    assert "batch" in refused.stderr


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_labels_are_the_same_bytes_for_any_number_of_processes(
    workspace: Workspace, processes: int
) -> None:
    labels = workspace.folder / "outputs/labels/salgan"
    whole = tree_hash(labels)
    shutil.rmtree(labels)
    workspace.compose(*PAIR, f"machine.processes={processes}")
    workspace.stage("label", "salgan")
    workspace.compose(*PAIR)
    assert tree_hash(labels) == whole


def test_a_rank_lost_while_labelling_leaves_its_shards_to_be_run_again(
    workspace: Workspace,
) -> None:
    """As a Slurm array of two tasks, the second of which is killed with a shard done."""
    labels = workspace.folder / "outputs/labels/salgan"
    whole = tree_hash(labels)
    shutil.rmtree(labels)
    scratch = Path(workspace.environment["FOVEA_SCRATCH"])
    first, second = (task(workspace, number) for number in range(2))
    workspace.compose(*PAIR, "machine.processes=1")
    command = (sys.executable, "-m", "pipeline.stages.label", "salgan")
    lost = subprocess.Popen(command, cwd=second.folder, env=second.environment)
    while not any(scratch.glob("label-salgan-*/shard-00001.json")):
        assert lost.poll() is None, "ended before it could be killed"
        time.sleep(0.01)
    lost.kill()
    lost.wait()
    said = batch_script(first, "label.slurm", "salgan").stdout
    if not labels.exists():  # it had not yet done its last shard
        assert "1 of 5 shards are missing (3), of rank 1 of 2" in said
        assert "run again with the same RANK and WORLD_SIZE" in said
        assert "salgan: labelled 1 of 5 shards" in second.stage("label", "salgan").stdout
    assert tree_hash(labels) == whole
    # Run once more after the merge, as a requeued task is, it changes nothing and leaves nothing.
    assert "already holds all 40 maps" in first.stage("label", "salgan").stdout
    assert tree_hash(labels) == whole
    assert not any(path.is_dir() for path in scratch.glob("label-*"))
    workspace.compose(*PAIR)


def test_the_slurm_job_of_a_training_makes_what_launched_processes_make(
    workspace: Workspace, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    """One node with two processes; `srun` and `scontrol` stand in for Slurm's."""
    shutil.rmtree(workspace.folder / OUTPUT)
    for name, does in (("srun", 'exec "$@"'), ("scontrol", "echo 127.0.0.1")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    job = {
        "PATH": f"{tmp_path}{os.pathsep}{workspace.environment['PATH']}",
        "MASTER_PORT": str(port),
        "SLURM_JOB_ID": "7",
        "SLURM_JOB_NODELIST": "node1",
        "SLURM_JOB_NUM_NODES": "1",
        "SLURM_GPUS_ON_NODE": "2",
    }
    node = Workspace(workspace.folder, workspace.environment | job)
    batch_script(node, "train.slurm", "train", "finetune")
    assert files(workspace) == undisturbed


def batch_script(
    workspace: Workspace, name: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run one of scripts/, with this Python's environment where it looks for one."""
    place = workspace.folder / ".venv"
    if not place.exists():
        place.symlink_to(sys.prefix)
    return workspace.run("bash", f"scripts/{name}", *arguments)


def task(workspace: Workspace, number: int) -> Workspace:
    """The workspace as a task of a Slurm array of two sees it."""
    array = {"ID": str(number), "COUNT": "2", "MIN": "0", "MAX": "1"}
    named = {f"SLURM_ARRAY_TASK_{name}": value for name, value in array.items()}
    rest = {k: v for k, v in workspace.environment.items() if k not in ("RANK", "WORLD_SIZE")}
    return Workspace(workspace.folder, rest | named)
