"""Ctrl-C: one line and status 130, from the first import to the end."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, NoReturn

from pipeline import ranks

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

STATUS = 130
MESSAGE = "stopped; run it again to go on from here"
AGAIN = 0.05
"""Seconds after which a Ctrl-C that a destructor swallowed is raised again."""


def end_quietly() -> None:
    """While nothing is at work yet: say so and end."""
    signal.signal(signal.SIGINT, _end)


class Interrupts:
    """While something is at work: Ctrl-C raises `KeyboardInterrupt`, and `came` remembers it.

    Python drops what is raised inside a destructor (a loader that is being put away); there it is
    raised again a moment later. Afterwards it is ignored, where this process is a stage's own: all
    is done then but the end.
    """

    def __init__(self) -> None:
        self.came = False

    def __enter__(self) -> Interrupts:
        self._before = signal.signal(signal.SIGINT, self._raise)
        self._hook = sys.unraisablehook
        sys.unraisablehook = self._dropped
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        after = signal.SIG_IGN if self._before is _end else self._before
        signal.signal(signal.SIGINT, after)
        sys.unraisablehook = self._hook

    def _raise(self, _number: int, _frame: FrameType | None) -> NoReturn:
        self.came = True
        raise KeyboardInterrupt

    def _dropped(self, what: UnraisableHookArgs) -> None:
        if what.exc_type is not KeyboardInterrupt:
            self._hook(what)
            return
        again = threading.Timer(AGAIN, os.kill, (os.getpid(), signal.SIGINT))
        again.daemon = True
        again.start()


def stop() -> NoReturn:
    """Say the one line and exit."""
    if ranks.speaks(os.environ):
        print(f"\n{MESSAGE}", file=sys.stderr, flush=True)
    sys.exit(STATUS)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    # Nothing has been begun that would have to be cleaned up, and threads of half-imported
    # libraries can hang a regular exit.
    if ranks.speaks(os.environ):
        os.write(2, f"\n{MESSAGE}\n".encode())
    os._exit(STATUS)
