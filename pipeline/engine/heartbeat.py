"""Signs of life between processes that train together.

A collective operation waits for every process, and what it says when one is gone depends on the
backend: gloo complains of a connection, NCCL waits for its time-out. So each process counts up a
number of its own once a second, and whoever's number stands still is lost.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

from torch.distributed import Store  # type: ignore[attr-defined]

BEAT = 1.0
"""Seconds between signs of life."""
MISSED = 4.0
"""Seconds without one after which a process is suspected, once something else has failed."""


class Heartbeat:
    """Give signs of life, and know who else still does.

    `store` must be a client of its own: the thread and the process group use theirs at once. A
    process silent for `limit` seconds ends this one with status 2 and the text of `lost`.
    """

    def __init__(self, store: Store, rank: int, world: int, limit: float) -> None:
        self.rank = rank
        self.world = world
        self.limit = limit
        self._store = store
        self._seen = dict.fromkeys(range(world), -1)
        self._since = dict.fromkeys(range(world), time.monotonic())
        self._without_store = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No sign from now on: the work together is done."""
        self._ended.set()
        self._thread.join()

    def lost(self) -> str | None:
        """Who is gone, in words; None if all have been heard of in the last seconds.

        Takes some seconds, as silence takes time to notice.
        """
        self._ended.wait(MISSED + BEAT)
        return self._silent(MISSED)

    def _silent(self, seconds: float) -> str | None:
        if self._without_store > 0:
            return f"rank 0 of {self.world}, or what started it, was lost"
        now = time.monotonic()
        ranks = [r for r in range(self.world) if now - self._since[r] > seconds and r != self.rank]
        if not ranks:
            return None
        names = f"rank{'s' * (len(ranks) > 1)} {', '.join(map(str, ranks))}"
        return f"{names} of {self.world} {'were' if len(ranks) > 1 else 'was'} lost"

    def _run(self) -> None:
        while not self._ended.wait(BEAT):
            self._beat()
            words = self._silent(self.limit)
            # Between the store's end and this process's own, all may still be well.
            grace = MISSED if self._without_store > 0 else 0.0
            if words is not None and not self._ended.wait(grace):
                end(words)

    def _beat(self) -> None:
        try:
            for rank in range(self.world):
                count = self._store.add(f"beat/{rank}", int(rank == self.rank))
                if count != self._seen[rank]:
                    self._seen[rank], self._since[rank] = count, time.monotonic()
        except RuntimeError:  # what torch raises for a store that is gone
            self._without_store = self._without_store or time.monotonic()


def said(words: str) -> str:
    """What a person is told of a lost process."""
    return (
        f"{words} (killed, or ended by an error that it told itself); what was saved is kept: "
        "run the same command again to go on"
    )


def end(words: str, leave: Callable[[int], None] = os._exit) -> None:
    """Say it and end at once: the main thread may wait for ever."""
    print(f"error: {said(words)}", file=sys.stderr, flush=True)
    leave(2)
