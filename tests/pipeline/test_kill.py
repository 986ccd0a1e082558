"""Kill -9 at random moments: `dvc repro` goes on, and ends with what an undisturbed run makes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline import dvc_lock
from pipeline.files import tree_hash
from tests.conftest import TINY, Workspace

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("FOVEA_KILLS", "2"))
"""How often a run is killed; FOVEA_KILLS=20 for the long form."""
REPRO = (sys.executable, "-m", "dvc", "repro")
DETERMINISTIC = (
    "outputs/sample",
    "outputs/data",
    "outputs/calibration.json",
    "outputs/teachers",
    "outputs/labels",
    "outputs/train",
    "outputs/evaluate",
    "outputs/metrics.json",
    "outputs/exports",
    "outputs/check",
)
"""All outputs but those that hold times: host, latency, and the bundle and report about them."""


def start(workspace: Workspace, *command: str) -> subprocess.Popen[bytes]:
    """Run in a process group of its own, so that a kill takes the stage along."""
    with said(workspace).open("w") as stream:
        return subprocess.Popen(
            command, cwd=workspace.folder, env=workspace.environment, start_new_session=True,
            stdout=stream, stderr=stream,
        )  # fmt: skip


def said(workspace: Workspace) -> Path:
    """What the run under way says."""
    return workspace.folder.parent / "repro.log"


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to the whole group."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def killed(process: subprocess.Popen[bytes], workspace: Workspace) -> None:
    """`kill`, and what `make repro` does first: DVC itself cannot get past half a lock file."""
    kill(process)
    dvc_lock.mend(workspace.folder / dvc_lock.FILE)


def shards(scratch: Path) -> int:
    """Complete shards of the labelling under way."""
    return len(list(scratch.glob("label-*/shard-*.json")))


def untimed(bundle: Path) -> dict[str, Any]:
    """A bundle's manifest without its latency rows."""
    manifest: dict[str, Any] = json.loads((bundle / "manifest.json").read_text())
    for entry in manifest["artefacts"].values():
        entry.pop("latency")
    return manifest


def test_labelling_killed_and_resumed_through_repro_gives_the_same_bytes(done: Workspace) -> None:
    labels = done.folder / "outputs/labels/salgan"
    expected = tree_hash(labels)
    command = (*REPRO, "--force", "--single-item", "label@salgan")
    generator = random.Random(0)
    scratch = Path(done.environment["FOVEA_SCRATCH"])
    seen: list[int] = []
    for _ in range(KILLS):
        process = start(done, *command)
        wanted = min(shards(scratch) + generator.choice([0, 1]), 4)
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            if any(scratch.glob("label-*/")) and shards(scratch) >= wanted:
                time.sleep(generator.uniform(0.0, 1.5))
                break
            time.sleep(0.02)
        assert process.poll() is None, "the stage ended before it could be killed"
        killed(process, done)
        seen.append(shards(scratch))
    assert max(seen) > 0, "no kill met a half-made store"
    done.run(*command)
    assert tree_hash(labels) == expected


def test_the_whole_pipeline_killed_again_and_again_ends_the_same(
    done: Workspace, make_workspace: Callable[[Sequence[str]], Workspace]
) -> None:
    """Moments are spread over the run: each attempt lives for a random while, then dies."""
    workspace = make_workspace(TINY)
    generator = random.Random(1)
    command: Sequence[str] = REPRO
    kills = 0
    while kills < KILLS:
        process = start(workspace, *command)
        try:
            process.wait(timeout=generator.uniform(3.0, 40.0))
        except subprocess.TimeoutExpired:
            killed(process, workspace)
            kills += 1
            command = REPRO
            continue
        assert process.returncode == 0, said(workspace).read_text()[-4000:]
        # Everything stands and there are kills left: begin again somewhere in the middle.
        stage = generator.choice(["prepare", "label@salgan", "train@finetune", "evaluate"])
        command = (*REPRO, "--force", "--downstream", stage)
    workspace.dvc("repro")
    for name in DETERMINISTIC:
        assert tree_hash(workspace.folder / name) == tree_hash(done.folder / name), name
    bundles = [w.folder / "outputs/bundle" for w in (workspace, done)]
    assert untimed(bundles[0]) == untimed(bundles[1])
