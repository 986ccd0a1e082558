"""Work beside the main thread: that which waits for a disk, and that which follows behind."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_threads(work: Callable[[T], R], items: Iterable[T], threads: int = 8) -> Iterator[R]:
    """`work` of every item, in their order; after an error or Ctrl-C nothing more is begun."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield from pool.map(work, items)
    finally:
        pool.shutdown(cancel_futures=True)


def behind(jobs: Generator[Callable[[], R], None, None], most: int = 4) -> Generator[R, None, None]:
    """Results of `jobs`, in order, each run by one thread while the caller makes further ones.

    At most `most` wait at a time. After a job that fails no later one is run, and its error is
    raised here, a few jobs late; when the making of jobs fails, those made before are finished.
    """
    failed = threading.Event()

    def run(job: Callable[[], R]) -> R:
        if failed.is_set():
            raise RuntimeError("an earlier job failed")  # whose error is what the caller sees
        try:
            return job()
        except BaseException:
            failed.set()
            raise

    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(1) as pool, contextlib.closing(jobs):
        for job in jobs:
            waiting.append(pool.submit(run, job))
            if len(waiting) > most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
