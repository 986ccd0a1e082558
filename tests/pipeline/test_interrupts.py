"""Ctrl-C arrives, wherever it comes."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from pipeline.data.processes import interrupts_held
from pipeline.stages.interrupt import Interrupts


class Loader:
    """Something that Ctrl-C meets while it is being put away."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


class Broken:
    """A destructor with a mistake of its own."""

    def __del__(self) -> None:
        raise ValueError("of its own")


def test_one_that_a_destructor_swallowed_is_raised_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:
        loader = Loader()
        del loader
        assert interrupts.came
        time.sleep(10)
    assert capsys.readouterr().err == ""


def test_other_errors_of_destructors_are_shown_as_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: shown.append(what.exc_type))
    with Interrupts():
        broken = Broken()
        del broken
    assert shown == [ValueError]


def test_the_handlers_before_come_back() -> None:
    before = signal.getsignal(signal.SIGINT), sys.unraisablehook
    with Interrupts():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), sys.unraisablehook) == before


@pytest.fixture
def another_thread() -> Iterator[None]:
    """One that takes signals, as torch's threads do."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    yield
    done.set()
    thread.join()


@pytest.mark.usefixtures("another_thread")
def test_one_is_held_until_processes_are_started_whichever_thread_takes_it() -> None:
    steps = []
    with pytest.raises(KeyboardInterrupt), Interrupts():
        with interrupts_held():
            os.kill(os.getpid(), signal.SIGINT)
            for step in range(1000):
                steps.append(step)
                time.sleep(1e-5)
        steps.append(-1)
    assert steps == [*range(1000)]


@pytest.mark.usefixtures("another_thread")
def test_the_handler_is_left_as_it_was_where_none_came() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupts_held():
        pass
    assert signal.getsignal(signal.SIGINT) is before
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_a_thread_other_than_the_main_one_can_start_processes_too() -> None:
    failed: list[BaseException] = []

    def start() -> None:
        try:
            with interrupts_held():
                assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert failed == []
