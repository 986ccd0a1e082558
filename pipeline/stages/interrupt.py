"""Ctrl-C: one line and status 130, from the first import to the end."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

STATUS = 130
MESSAGE = "stopped; run it again to go on from here"


def end_quietly() -> None:
    """While nothing is at work yet: say so and end."""
    signal.signal(signal.SIGINT, _end)


def raise_interrupts() -> None:
    """While something is at work: Python's own way, `KeyboardInterrupt`."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def say() -> None:
    """The one line; from here on Ctrl-C changes nothing any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(f"\n{MESSAGE}", file=sys.stderr, flush=True)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    # Nothing has been begun that would have to be cleaned up, and threads of half-imported
    # libraries can hang a regular exit.
    os.write(2, f"\n{MESSAGE}\n".encode())
    os._exit(STATUS)
