"""Real processes on gloo: the same step as one process, exact resuming, and ranks that are lost."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.engine.distributed import ALONE, together
from pipeline.engine.history import read
from pipeline.errors import UserError
from tests.engine.together import CPU, by_hand, gradients, learn

ROOT = Path(__file__).resolve().parents[2]
MODULE = ("-m", "tests.engine.together")
PATIENCE = 240.0
"""Seconds on a busy machine; what is asserted is never how long something takes."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def started(world: int, *arguments: object, ranks: int | None = None) -> Iterator[list[Any]]:
    """Ranks started by hand, as from several terminals; the first `ranks` of them if given."""
    common = {k: v for k, v in os.environ.items() if not k.startswith(("RANK", "SLURM", "LOCAL"))}
    common |= {"WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1"}
    common |= {"MASTER_PORT": str(free_port()), "TORCH_CPP_LOG_LEVEL": "FATAL"}
    command = [sys.executable, *MODULE, *map(str, arguments)]
    processes = [
        subprocess.Popen(
            command, cwd=ROOT, env=common | {"RANK": str(rank)}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for rank in range(world if ranks is None else ranks)
    ]  # fmt: skip
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit status and what was said."""
    _, said = process.communicate(timeout=PATIENCE)
    return process.returncode, said


def end_well(processes: list[Any]) -> None:
    """The first one alone has told of its progress."""
    (first, progress), (second, silence) = (ended(process) for process in processes)
    assert (first, second) == (0, 0), progress + silence
    assert progress.startswith("toy: ")
    assert silence == ""


def losses(folder: Path) -> list[float]:
    return [row["loss"] for row in read(folder / "history.jsonl") if row["kind"] == "step"]


def steps_reach(folder: Path, number: int, processes: list[Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while len(losses(folder)) < number:
        assert all(process.poll() is None for process in processes), "ended before its time"
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What each of two undisturbed processes made of several kinds of steps."""
    folder = tmp_path_factory.mktemp("pair")
    with started(2, folder, "--compare") as processes:
        end_well(processes)
    return folder


def seen(pair: Path, kind: str) -> list[Any]:
    return [json.loads((pair / f"rank{rank}.json").read_text())[kind] for rank in range(2)]


@pytest.mark.parametrize(
    ("kind", "options"),
    [("whole", {}), ("pieces", {}), ("clipped", {"grad_clip": 0.01})],
)
def test_two_processes_step_as_one_on_the_same_batch(
    pair: Path, kind: str, options: dict[str, float]
) -> None:
    """Without batch norm; gradients, losses and weights are those of the whole batch at once."""
    alone = gradients(ALONE, **options)
    for made in seen(pair, kind):
        for ours, theirs in zip(made["terms"], alone["terms"]):
            assert ours == pytest.approx(theirs, rel=1e-12)
        assert made["gradients"].keys() == alone["gradients"].keys()
        for name, expected in alone["gradients"].items():
            if name.startswith("unused"):
                assert made["gradients"][name] is expected is None
                continue
            torch.testing.assert_close(
                torch.tensor(made["gradients"][name], dtype=torch.float64),
                torch.tensor(expected, dtype=torch.float64),
                rtol=1e-11,
                atol=1e-14,
            )
        for name, expected in alone["weights"].items():
            assert torch.tensor(made["weights"][name]) == pytest.approx(
                torch.tensor(expected), rel=1e-9
            )
    assert seen(pair, kind)[0] == seen(pair, kind)[1]


def test_gradients_averaged_by_hand_are_those_of_the_whole_batch(pair: Path) -> None:
    alone = by_hand(ALONE)
    for made in seen(pair, "by hand"):
        for ours, expected in zip(made, alone):
            if expected is None:
                assert ours is None
            else:
                torch.testing.assert_close(
                    torch.tensor(ours, dtype=torch.float64),
                    torch.tensor(expected, dtype=torch.float64),
                    rtol=1e-11,
                    atol=1e-14,
                )


def test_a_part_that_is_not_finite_stops_all_at_once(pair: Path) -> None:
    assert all(said.startswith("loss is ") for said in seen(pair, "spoilt"))


def test_only_the_first_process_writes(pair: Path) -> None:
    names = sorted(path.name for path in pair.iterdir())
    assert names == ["rank0.json", "rank1.json", "trained"]
    assert len(losses(pair / "trained")) == 15


def test_all_killed_in_an_epoch_and_resumed_are_undisturbed_bit_for_bit(
    pair: Path, tmp_path: Path
) -> None:
    with started(2, tmp_path, "--pause", 0.2) as processes:
        steps_reach(tmp_path, 7, processes)
        for process in processes:
            process.kill()
    assert 7 <= len(losses(tmp_path)) < 15
    with started(2, tmp_path) as processes:
        end_well(processes)
    assert losses(tmp_path) == losses(pair / "trained")
    rows = read(tmp_path / "history.jsonl")
    assert rows == read(pair / "trained" / "history.jsonl")


@pytest.mark.parametrize("lost", [0, 1])
def test_a_killed_rank_is_named_by_the_other_which_ends(
    pair: Path, tmp_path: Path, lost: int
) -> None:
    """Started by hand, where no launcher watches; rank 0 takes the meeting point with it."""
    with started(2, tmp_path, "--pause", 0.2) as processes:
        steps_reach(tmp_path, 4, processes)
        processes[lost].kill()
        status, said = ended(processes[1 - lost])
    assert status == 2
    assert f"rank {lost} of 2" in said
    assert "run the same command again to go on" in said
    assert "Traceback" not in said
    with pytest.raises(UserError, match=r"begun with 2 processes and cannot go on with 1.*=2"):
        learn(ALONE, tmp_path)
    if lost:
        with started(2, tmp_path) as processes:
            end_well(processes)
        assert losses(tmp_path) == losses(pair / "trained")


def test_a_rank_that_stands_still_is_taken_for_lost(tmp_path: Path) -> None:
    """As on a machine that has frozen or lost its network: its connections stay open."""
    with started(2, tmp_path, "--pause", 0.2, "--timeout", 0.1) as processes:
        steps_reach(tmp_path, 2, processes)
        processes[1].send_signal(signal.SIGSTOP)
        status, said = ended(processes[0])
    assert status == 2
    assert "rank 1 of 2 was lost" in said
    assert "Traceback" not in said


def test_a_rank_that_never_comes_is_waited_for_and_told(tmp_path: Path) -> None:
    with started(2, tmp_path, "--timeout", 0.03, ranks=1) as processes:
        status, said = ended(processes[0])
    assert status == 2
    assert "rank 0 of 2 waited for the others at 127.0.0.1:" in said
    assert "start all of them, or raise machine.timeout_minutes" in said
    assert "Traceback" not in said


def test_ranks_without_a_meeting_point_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="start with torchrun, or set machine"), together(CPU, 1):
        pass


@pytest.mark.slow
def test_torchrun_starts_them_as_well(pair: Path, tmp_path: Path) -> None:
    torchrun = shutil.which("torchrun", path=str(Path(sys.executable).parent))
    if torchrun is None:
        pytest.skip("torchrun is not beside this Python")
    done = subprocess.run(
        [torchrun, "--standalone", "--nproc-per-node=2", *MODULE, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert losses(tmp_path) == losses(pair / "trained")
