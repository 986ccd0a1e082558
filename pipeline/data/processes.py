"""Child processes that leave Ctrl-C to their parent."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """Start processes in this block that Ctrl-C, which a terminal sends to all, does not reach.

    They inherit the mask from before their first instruction, so none of them can print a
    traceback; the parent is interrupted when the block ends, and stops them.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
