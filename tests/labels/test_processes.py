"""Real writer processes: several at once, and killed without warning."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from pipeline.labels import LabelStore, merge, write_shards
from tests.labels.labelling import SPEC, files, predict

ROOT = Path(__file__).parents[2]


def _start(folder: Path, rank: int, world: int, seconds: float) -> subprocess.Popen[str]:
    arguments = [str(folder), str(rank), str(world), str(seconds)]
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.labels.labelling", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    return writer


def _whole(folder: Path) -> dict[str, bytes]:
    write_shards(SPEC, folder, predict)
    merge(SPEC, folder)
    return files(folder)


def test_processes_at_once_write_the_store_of_one(tmp_path: Path) -> None:
    folder = tmp_path / "at-once"
    # The third has the first one's shards to write: a job submitted twice must do no harm.
    writers = [_start(folder, rank, 2, 0.005) for rank in (0, 1, 0)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    merge(SPEC, folder)
    assert files(folder) == _whole(tmp_path / "alone")
    LabelStore(folder).verify()


def test_ten_kills_then_resume_give_the_bytes_of_an_uninterrupted_run(tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    moments = random.Random(0)
    killed = 0
    for attempt in range(10):
        writer = _start(folder, 0, 1, 0.05)
        while attempt == 0 and not (folder / "shard-00000.json").is_file():
            time.sleep(0.01)  # however busy the machine: there is something to resume from
        time.sleep(moments.uniform(0, 0.15))
        killed += writer.poll() is None
        writer.kill()
        writer.wait(timeout=60)
    assert killed == 10, "the writer ended before it could be killed: nothing was tested"
    partial = {name for name in files(folder) if not name.startswith(".")}
    assert 0 < len(partial) < 2 * SPEC.shards
    assert 0 < write_shards(SPEC, folder, predict) < SPEC.shards
    merge(SPEC, folder)
    assert files(folder) == _whole(tmp_path / "alone")
