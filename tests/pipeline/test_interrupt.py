"""Ctrl-C in a stage: one line, status 130, nothing half-written, nobody left; then it goes on."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from pipeline.files import tree_hash
from pipeline.stages.interrupt import MESSAGE
from tests.conftest import Workspace

pytestmark = pytest.mark.slow

SECONDS = 180.0


@dataclass
class Stage:
    """A stage at work in a process group of its own, as a terminal starts it."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    def wait_for(self, ready: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not ready():
            assert self.process.poll() is None, f"ended before {what}: {self.said}"
            assert time.monotonic() < deadline, f"no {what}: {self.said}"
            time.sleep(0.01)

    def interrupt(self) -> None:
        """Ctrl-C: the terminal signals every process of the group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def members(self) -> list[str]:
        """Processes of the group that are still at work."""
        return [
            process.info["name"]
            for process in psutil.process_iter(["name", "status"])
            if process.info["status"] != psutil.STATUS_ZOMBIE and self._owns(process.pid)
        ]

    def _owns(self, process: int) -> bool:
        with contextlib.suppress(ProcessLookupError):
            return os.getpgid(process) == self.process.pid
        return False


@pytest.fixture(scope="module")
def workspace(done: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the finished one, with loader processes and a latency worth waiting for."""
    base = tmp_path_factory.mktemp("interrupted")
    shutil.copytree(done.folder, base / "checkout", symlinks=True)
    environment = done.environment | {
        "FOVEA_SCRATCH": str(base / "scratch"),
        "FOVEA_SHELF": str(base / "shelf"),
    }
    params = base / "checkout" / "params.yaml"
    text = params.read_text()
    for before, after in (("workers: 0", "workers: 2"), ("iterations: 3", "iterations: 500")):
        assert before in text
        text = text.replace(before, after)
    params.write_text(text)
    return Workspace(base / "checkout", environment)


@contextlib.contextmanager
def started(workspace: Workspace, name: str, *arguments: str) -> Iterator[Stage]:
    log = workspace.folder.parent / f"{name}.log"
    command = [sys.executable, "-m", f"pipeline.stages.{name}", *arguments]
    with log.open("w") as stream:
        process = subprocess.Popen(
            command, cwd=workspace.folder, env=workspace.environment, stdout=stream, stderr=stream,
            start_new_session=True,
        )  # fmt: skip
    stage = Stage(process, log)
    try:
        yield stage
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def has_ended_well(stage: Stage) -> None:
    """Status 130 and one line about it, and no process of the group left."""
    assert stage.process.wait(timeout=SECONDS) == 130, stage.said
    assert stage.said.splitlines()[-1] == MESSAGE
    assert "Traceback" not in stage.said
    assert "Error" not in stage.said
    deadline = time.monotonic() + 10
    while left := stage.members():
        assert time.monotonic() < deadline, f"{left} live on"
        time.sleep(0.05)


def temporaries(folder: Path) -> list[Path]:
    """Hidden files that a writer left in the outputs."""
    return [p for p in (folder / "outputs").rglob(".*") if p.name not in (".gitignore", ".locks")]


def states(workspace: Workspace, stage: str) -> list[Path]:
    return list(Path(workspace.environment["FOVEA_SCRATCH"]).glob(f"{stage}*/**/state.pt"))


def shards(workspace: Workspace) -> list[Path]:
    return list(Path(workspace.environment["FOVEA_SCRATCH"]).glob("label-*/shard-*.json"))


RESUMED = [
    ("teacher", "salgan", "outputs/teachers/salgan", lambda w, _: bool(states(w, "teacher"))),
    ("label", "salgan", "outputs/labels/salgan", lambda w, _: len(shards(w)) > 0),
    ("train", "finetune", "outputs/train/finetune", lambda _, stage: "finetune: 8/" in stage.said),
]


@pytest.mark.parametrize(("name", "argument", "output", "ready"), RESUMED)
def test_it_goes_on_and_ends_as_if_nobody_had_stopped_it(
    workspace: Workspace,
    name: str,
    argument: str,
    output: str,
    ready: Callable[[Workspace, Stage], bool],
) -> None:
    place = workspace.folder / output
    aside = shutil.move(place, place.with_name("aside"))
    expected = tree_hash(aside)
    try:
        with started(workspace, name, argument) as stage:
            stage.wait_for(lambda: ready(workspace, stage), "work to interrupt")
            stage.interrupt()
            has_ended_well(stage)
        assert not place.exists()
        assert temporaries(workspace.folder) == []
        assert "going on from" in workspace.stage(name, argument).stderr
        assert tree_hash(place) == expected
    finally:
        shutil.rmtree(place, ignore_errors=True)
        aside.rename(place)


def test_what_was_checked_before_stays(workspace: Workspace) -> None:
    output = workspace.folder / "outputs/check"
    lock = workspace.folder / "outputs/.locks/check-executorch_fp32.lock"
    before = tree_hash(output)
    lock.unlink(missing_ok=True)
    with started(workspace, "check", "executorch_fp32") as stage:
        stage.wait_for(lambda: lock.exists() and bool(lock.read_text()), "work to interrupt")
        stage.interrupt()
        has_ended_well(stage)
    assert tree_hash(output) == before
    assert temporaries(workspace.folder) == []


def test_the_measuring_process_ends_too(workspace: Workspace) -> None:
    output = workspace.folder / "outputs/latency.jsonl"
    before = tree_hash(output)
    with started(workspace, "latency") as stage:
        pid = stage.process.pid
        stage.wait_for(lambda: "mobile.latency" in children(pid), "a measuring process")
        stage.interrupt()
        has_ended_well(stage)
    assert tree_hash(output) == before
    assert temporaries(workspace.folder) == []


def children(process: int) -> str:
    """Command lines of the processes below `process`."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return "\n".join(
            " ".join(child.cmdline()) for child in psutil.Process(process).children(recursive=True)
        )
    return ""


def test_ctrl_c_during_the_imports_is_one_line_too(workspace: Workspace) -> None:
    with started(workspace, "train", "finetune") as stage:
        maps = Path(f"/proc/{stage.process.pid}/maps")
        if not maps.exists():
            pytest.skip("needs /proc to see that torch is being imported")
        stage.wait_for(lambda: "libtorch" in maps.read_text(), "import of torch")
        stage.interrupt()
        assert stage.process.wait(timeout=SECONDS) == 130
        assert stage.said.strip() == MESSAGE
