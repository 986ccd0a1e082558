"""Ctrl-C arrives, wherever it comes."""

from __future__ import annotations

import signal
import sys
import time

import pytest

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
