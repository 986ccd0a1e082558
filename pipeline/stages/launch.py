"""Start a stage as several processes on this machine: `machine.processes`, without torchrun.

torchrun gives its workers sessions of their own, so that neither Ctrl-C in a terminal nor the end
of DVC's process group reaches them, and hides their exit status behind its own. Here they stay in
the stage's group and fail as the stage itself would.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import NoReturn

from pipeline.engine.heartbeat import said
from pipeline.errors import UserError
from pipeline.ranks import LAUNCHER, Rank
from pipeline.stages import interrupt

Process = subprocess.Popen[bytes]
SECONDS_TO_END = 10.0
"""What processes get between being asked to end and being killed."""
POLL = 0.1


def wanted(processes: int, environment: Mapping[str, str]) -> bool:
    """Whether this process is to start others, and is not itself one of several."""
    return processes > 1 and "RANK" not in environment


def launch(processes: int, outer: Rank) -> None:
    """Run this command line as `processes` ranks; returns when all have ended well.

    With an `outer` rank, such as the task of an array, they are that many of all its ranks. The
    first rank to fail ends the others: exits with its status if it has told why, and raises
    `UserError` if it was killed.
    """
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    # The store lives here, on a port that is surely free, and outlives every rank.
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    with _all_ended(_ranks(processes, outer, store.port)) as ranks:
        failed = _first_failure(ranks)
    if failed is None:
        return
    status = ranks[failed].returncode
    if status >= 0:
        sys.exit(status)
    words = f"rank {failed} of {processes} was lost by {signal.Signals(-status).name}"
    raise UserError(said(words))


def follow_parent(environment: Mapping[str, str]) -> None:
    """In a launched rank: end when whoever launched it is gone, however that happened."""
    if LAUNCHER not in environment:
        return
    parent = int(environment[LAUNCHER])

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(2)

    threading.Thread(target=watch, daemon=True).start()


def _ranks(processes: int, outer: Rank, port: int) -> list[Process]:
    threads = max(1, (os.cpu_count() or 1) // processes)
    common = os.environ | {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": str(outer.world * processes),
        "LOCAL_WORLD_SIZE": str(processes),
        "TORCHELASTIC_USE_AGENT_STORE": str(True),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads)),
        LAUNCHER: str(os.getpid()),
    }
    command = [sys.executable, *sys.orig_argv[1:]]
    started = []
    for local in range(processes):
        rank = Rank(local, processes).inside(outer).number
        own = {"RANK": str(rank), "LOCAL_RANK": str(local)}
        started.append(subprocess.Popen(command, env=common | own))
    return started


def _first_failure(ranks: list[Process]) -> int | None:
    while True:
        codes = [rank.poll() for rank in ranks]
        failed = [number for number, code in enumerate(codes) if code]
        if failed:
            return failed[0]
        if None not in codes:
            return None
        time.sleep(POLL)


@contextlib.contextmanager
def _all_ended(ranks: list[Process]) -> Iterator[list[Process]]:
    """No rank outlives the block, whether it ends well, by an error, SIGTERM or Ctrl-C."""
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        yield ranks
    except KeyboardInterrupt:
        _wait(ranks)  # a terminal has told them, too, and the first of them says the one line
        if ranks[0].returncode == interrupt.STATUS:
            sys.exit(interrupt.STATUS)
        raise
    finally:
        for rank in ranks:
            rank.terminate()
        _wait(ranks)
        for rank in ranks:
            rank.kill()
            rank.wait()
        signal.signal(signal.SIGTERM, before)


def _wait(ranks: list[Process]) -> None:
    deadline = time.monotonic() + SECONDS_TO_END
    while any(rank.poll() is None for rank in ranks) and time.monotonic() < deadline:
        time.sleep(POLL)


def _terminated(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)
