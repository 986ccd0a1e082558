"""Progress that tells the rate and the time left: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import math
import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

SECONDS_BETWEEN_LINES = 15.0


class Meter:
    """Counts `total` units of work: `with Meter("label", 320, "images") as meter: meter(8)`.

    A `quiet` one shows nothing: another process speaks.
    """

    def __init__(
        self, title: str, total: int, unit: str, done: int = 0, *, quiet: bool = False
    ) -> None:
        self.title, self.total, self.unit, self.done = title, total, unit, done
        self._first = done
        self._start = time.monotonic()
        self._last = -math.inf  # the first count is shown at once: something is happening
        self._bar: Progress | None = None
        self._quiet = quiet
        if sys.stderr.isatty() and not quiet:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
                console=Console(stderr=True),
            )
            self._task = self._bar.add_task(
                title, total=total or None, completed=done, rate="", note=""
            )

    def __enter__(self) -> Meter:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()
        elif kind is None:
            self._print("")

    def __call__(self, count: int = 1, note: str = "") -> None:
        """Count `count` units done; `note` is shown behind."""
        self.done += count
        if self._bar:
            self._bar.update(self._task, completed=self.done, rate=self._rate_text(), note=note)
        elif time.monotonic() - self._last > SECONDS_BETWEEN_LINES:
            self._print(note)

    def _rate(self) -> float:
        return (self.done - self._first) / max(1e-9, time.monotonic() - self._start)

    def _rate_text(self) -> str:
        return f"{self._rate():.1f} {self.unit}/s"

    def _print(self, note: str) -> None:
        if self._quiet:
            return
        self._last = time.monotonic()
        left = (self.total - self.done) / max(1e-9, self._rate())
        tail = f", {_clock(left)} left" if self.done < self.total else ""
        count = f"{self.done}/{self.total}" if self.total else f"{self.done}"
        text = f"{self.title}: {count} {self.unit}, {self._rate_text()}{tail}"
        print(f"{text}  {note}".rstrip(), file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
