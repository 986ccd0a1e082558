"""Latency on a target: the same row as on a host, from another machine or runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from mobile.backend import Array
from mobile.export import ExportReport
from mobile.latency import described, read_input
from mobile.latency_row import LatencyRow
from mobile.measured import Measured, Place, row
from mobile.targets.registry import RefusedError, Target
from mobile.timing import Plan
from pipeline.errors import UserError


@runtime_checkable
class TimedTarget(Target, Protocol):
    """A target whose milliseconds mean something."""

    def time(self, path: Path, image: Array, threads: int, plan: Plan) -> tuple[Measured, Place]:
        """Time the file on an image (1, 3, H, W), float32 RGB 0-255, by the protocol of `plan`.

        Raises `RefusedError` where the runtime does not take the file, `UserError` where the
        target cannot be reached or stops answering.
        """


def timed(target: Target) -> TimedTarget:
    """`target` as one that measures; `UserError` for one that only computes."""
    if not isinstance(target, TimedTarget):
        raise UserError(
            f"{target.name} is never timed: only what its files compute is looked at "
            f"(fovea target check … --on {target.name})"
        )
    return target


def measure_on(
    target: TimedTarget, file: Path, report: ExportReport, image: Path, threads: int, plan: Plan
) -> LatencyRow:
    """The row of `file` on `target`; `image` and `report` as for `mobile.latency.measure`."""
    subject, pixels = described(file, report), read_input(image)
    try:
        measured, place = target.time(file, pixels, threads, plan)
    except RefusedError as refused:
        raise UserError(f"{target.name} does not take {file}: {refused}") from refused
    return row(subject, pixels, threads, plan, measured, place)
