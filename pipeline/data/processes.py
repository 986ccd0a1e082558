"""Child processes that leave Ctrl-C, and what is to be said of it, to their parent."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import TracebackType


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """Start processes in this block that Ctrl-C, which a terminal sends to all, does not reach.

    They inherit the mask from before their first instruction, so none of them can print a
    traceback; the parent is interrupted when the block ends, and stops them.
    """
    with _remembered():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _remembered() -> Iterator[None]:
    """Hold a Ctrl-C back that one of torch's threads takes: a mask is its own thread's alone.

    Python runs handlers in the main thread whichever took the signal, in the middle of whatever
    that one is at: a loader half made is a loader that cannot be put away.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or handler is None:
        yield  # no handler runs in this thread, or none that Python could put back
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came:
            signal.raise_signal(signal.SIGINT)


def be_quiet_without_parent() -> None:
    """In a child: say nothing of a parent that went away in the middle of a hand-over.

    The thread that hands tensors over prints what ends it; nobody is left to whom it matters.
    """
    sys.excepthook = _unless_gone


def _unless_gone(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if not issubclass(kind, (ConnectionError, EOFError)):
        sys.__excepthook__(kind, error, trace)
