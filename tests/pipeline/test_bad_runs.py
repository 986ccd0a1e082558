"""Stages started wrongly, or twice at once: status 2 and one line, nothing begun."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pipeline.lock import alone, in_turn
from pipeline.stages.entry import lock_file, part, rank
from tests.conftest import ROOT, Workspace

HOLD = """
import os, sys, time
from pathlib import Path
from pipeline.lock import alone
with alone(Path(sys.argv[1]), "a run of host"):
    if os.fork() == 0:  # as a loader's worker, which outlives its parent for a while
        time.sleep(60)
    print(os.getpid(), flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def workspace(make_workspace: Callable[[Sequence[str]], Workspace]) -> Workspace:
    return make_workspace(())


def refused(workspace: Workspace, name: str, *arguments: str) -> str:
    """What a stage says that ends with status 2: one line, no traceback."""
    done = workspace.stage(name, *arguments, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def hold(path: Path) -> subprocess.Popen[str]:
    """A process that has the lock."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert holder.stdout is not None
    assert int(holder.stdout.readline()) == holder.pid
    return holder


def test_a_second_run_of_a_stage_is_refused_until_the_first_is_gone(workspace: Workspace) -> None:
    holder = hold(workspace.folder / "outputs/.locks/host.lock")
    try:
        said = refused(workspace, "host")
        assert f"a run of host is already at work here (process {holder.pid} on" in said
        assert "wait for it to end, or stop it" in said
        assert not (workspace.folder / "outputs/host.json").exists()
        holder.kill()
        holder.wait()
        workspace.stage("host")  # the worker that lives on holds nothing
    finally:
        os.killpg(holder.pid, signal.SIGKILL)
    assert (workspace.folder / "outputs/host.json").is_file()


def test_a_run_elsewhere_with_the_same_scratch_waits_its_turn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two queued experiments that share a teacher: the second is late, not lost."""
    path = tmp_path / "teacher.lock"
    holder = hold(path)
    end = f"import os, time; time.sleep(1); os.killpg({holder.pid}, 9)"
    ending = subprocess.Popen([sys.executable, "-c", end])
    with in_turn(path, "another run of teacher"):
        assert holder.wait(timeout=10) == -signal.SIGKILL
    assert "another run of teacher is at work (process" in capsys.readouterr().err
    ending.wait()


def test_other_stages_arguments_and_ranks_are_not_in_the_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def label(config: object, name: str) -> None: ...

    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    names = [lock_file(label, ["salgan"]), lock_file(label, ["deepgaze"])]
    for number in (0, 1):
        monkeypatch.setenv("WORLD_SIZE", "2")
        monkeypatch.setenv("RANK", str(number))
        assert rank() == (number, 2)
        names.append(lock_file(label, ["salgan"]))
    assert len(set(names)) == 4
    assert part() == "rank1of2"


@pytest.mark.parametrize(
    ("number", "world", "message"),
    [("x", "2", "RANK is 'x', not a number"), ("2", "2", "RANK=2 of WORLD_SIZE=2: ranks count")],
)
def test_ranks_that_are_none_are_refused(
    workspace: Workspace, number: str, world: str, message: str
) -> None:
    other = Workspace(
        workspace.folder, workspace.environment | {"RANK": number, "WORLD_SIZE": world}
    )
    assert message in refused(other, "host")


def test_a_missing_params_file_is_said(workspace: Workspace, tmp_path: Path) -> None:
    elsewhere = Workspace(tmp_path, workspace.environment | {"PYTHONPATH": str(workspace.folder)})
    assert "params.yaml is missing; run from the project's folder" in refused(elsewhere, "host")
    assert list(tmp_path.iterdir()) == []


def test_wrong_arguments_and_files_in_the_way_are_said(workspace: Workspace) -> None:
    said = refused(workspace, "host", "more")
    assert "1 argument(s) given to `python -m pipeline.stages.host`; dvc.yaml says which" in said
    params = workspace.folder / "params.yaml"
    text = params.read_text()
    try:
        params.write_text(text.replace("executorch_int8", "executorch_int9"))
        assert "did you mean 'executorch_int8'?" in refused(workspace, "sample")
        params.write_text(text + "sed: 1\n")
        assert "params.yaml: unknown key 'sed'; did you mean 'seed'?" in refused(
            workspace, "sample"
        )
    finally:
        params.write_text(text)
    outputs = workspace.folder / "outputs"
    kept = outputs.rename(outputs.with_name("kept")) if outputs.exists() else None
    try:
        outputs.write_text("a file")
        assert "outputs is in the way: move it elsewhere" in refused(workspace, "sample")
        assert outputs.read_text() == "a file"
    finally:
        outputs.unlink()
        if kept:
            kept.rename(outputs)


def test_a_disk_that_fills_up_under_a_stage_is_said(workspace: Workspace) -> None:
    limited = f"ulimit -f 16; exec {sys.executable} -m pipeline.stages.sample"
    done = workspace.run("bash", "-c", limited, check=False)
    assert done.returncode == 2
    assert "error: could not write outputs/sample/" in done.stderr
    assert "File too large; make room on that disk and run again" in done.stderr
    assert "Traceback" not in done.stderr
    written = [p for p in (workspace.folder / "outputs/sample").rglob("*") if p.is_file()]
    assert all(not p.name.startswith(".") and p.stat().st_size <= 16 * 1024 for p in written)


PIPELINE = """
stages:
  slow:
    cmd: touch begun && sleep 30 && touch out
    outs: [out]
"""


def test_dvc_itself_refuses_a_second_repro_at_once(tmp_path: Path) -> None:
    """What keeps two runs of the whole pipeline apart: told here as it is, not as we wish."""
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    dvc = [sys.executable, "-m", "dvc"]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*dvc, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    run("init", "--no-scm", "-q")
    first = subprocess.Popen(
        [*dvc, "repro", "-q"], cwd=tmp_path, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "begun").exists():
            assert time.monotonic() < deadline
            assert first.poll() is None
            time.sleep(0.05)
        second = run("repro")
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    assert second.returncode == 255
    assert f"(PID {first.pid})" in second.stderr
    assert "is busy, it is being blocked by" in second.stderr
    assert not (tmp_path / "out").exists()


def test_a_lock_in_one_process_is_held_for_the_block_alone(tmp_path: Path) -> None:
    for _ in range(2):
        with alone(tmp_path / "a.lock", "a run"):
            pass
