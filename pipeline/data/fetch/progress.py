"""A meter that is told bytes and shows megabytes."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from pipeline.engine.progress import Meter

_MEGA = 1_000_000


class Progress(Protocol):
    """Is told how something comes along, in bytes."""

    def begin(self, done: int, total: int | None) -> None:
        """It goes on from `done` bytes of `total`, where that is known."""

    def __call__(self, count: int) -> None:
        """`count` more bytes are done."""


class Megabytes:
    """`with Megabytes("train2017") as progress`: `begin` once or more often, then counts."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._meter: Meter | None = None
        self._bytes = 0

    def begin(self, done: int, total: int | None) -> None:
        """Show `done` of `total` bytes; again after a break, from wherever it goes on."""
        megabytes = -(-(total or 0) // _MEGA)
        if self._meter is not None and self._meter.total != megabytes:
            self._meter.__exit__(KeyboardInterrupt, None, None)  # without a last line
            self._meter = None
        self._bytes = done
        if self._meter is None:
            self._meter = Meter(self.title, megabytes, "MB", done // _MEGA).__enter__()
        else:
            self._show()

    def __call__(self, count: int) -> None:
        """`count` more bytes."""
        self._bytes += count
        self._show()

    def _show(self) -> None:
        if self._meter is not None:
            whole = -(-self._bytes // _MEGA)
            self._meter(min(whole, self._meter.total or whole) - self._meter.done)

    def __enter__(self) -> Megabytes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._meter is not None:
            self._meter.__exit__(kind, error, trace)
