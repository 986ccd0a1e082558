"""Jobs that follow behind their making."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Generator

import pytest

from pipeline.data.threads import behind

Jobs = Generator[Callable[[], int], None, None]


def test_results_come_in_order_from_one_other_thread() -> None:
    threads = set()

    def job(number: int) -> int:
        threads.add(threading.get_ident())
        return number

    assert list(behind(functools.partial(job, n) for n in range(30))) == list(range(30))
    assert len(threads) == 1
    assert threads != {threading.get_ident()}


def test_at_most_so_many_wait() -> None:
    made, gate = [], threading.Event()

    def jobs() -> Jobs:
        for number in range(10):
            if len(made) == 3:
                gate.set()  # nothing has been finished until now, and so many were still made
            made.append(number)
            yield functools.partial(wait, number)

    def wait(number: int) -> int:
        assert gate.wait(timeout=60)
        return number

    for result in behind(jobs(), most=3):
        assert len(made) <= result + 4


def test_after_a_failure_nothing_more_is_run() -> None:
    run, closed = [], []

    def jobs() -> Jobs:
        try:
            for number in range(100):
                yield functools.partial(job, number)
        finally:
            closed.append(True)

    def job(number: int) -> int:
        run.append(number)
        if number == 5:
            raise OSError("disk full")
        return number

    results = []
    with pytest.raises(OSError, match="disk full"):
        results.extend(behind(jobs()))
    assert run == list(range(6))
    assert closed == [True]


def test_what_was_made_before_the_making_failed_is_finished() -> None:
    run: list[int] = []

    def jobs() -> Jobs:
        for number in range(3):
            yield functools.partial(job, number)
        raise RuntimeError("no more")

    def job(number: int) -> int:
        run.append(number)
        return number

    with pytest.raises(RuntimeError, match="no more"):
        list(behind(jobs(), most=9))
    assert run == [0, 1, 2]
