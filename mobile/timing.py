"""The timed loop itself: load, first run, warm-ups, repeats. Runs in a process of its own."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from mobile.backend import Array
from mobile.host import temperature_c


class Timed(Protocol):
    """Anything that can be prepared once and invoked often."""

    def prepare(self, image: Array) -> Any:
        """The image in the runtime's own form."""

    def invoke(self, prepared: Any) -> Any:
        """One inference."""


T = TypeVar("T", bound=Timed)


@dataclass(frozen=True)
class Plan:
    """How long to measure. The defaults are the smallest that a published row may use."""

    warmups: int = 5
    repeats: int = 3
    iterations: int = 20
    repeat_seconds: float = 30.0
    """A repeat stops here, but never before `least_iterations`."""
    least_iterations: int = 5
    cool_below_c: float = 37.0
    """A repeat starts only below this temperature, where one can be read …"""
    cool_seconds: float = 0.0
    """… or after waiting this long; 0 measures at once and records the temperature."""


@dataclass(frozen=True)
class Timing:
    """Raw times of one runner, ms."""

    load_ms: float
    first_run_ms: float
    samples_ms: list[list[float]]
    """Per repeat, per iteration."""
    time_bounded: bool
    temperature_c: float | None
    thermal_timed_out: bool | None


def time_runner(load: Callable[[], T], image: Array, plan: Plan) -> Timing:
    """Time `load()` and what it loads on `image` (1, 3, H, W); preparing the image is not timed."""
    started = time.perf_counter()
    runner = load()
    load_ms = _since(started)
    prepared = runner.prepare(image)
    first_run_ms = _once(runner, prepared)
    for _ in range(plan.warmups):
        runner.invoke(prepared)
    repeats: list[list[float]] = []
    temperatures: list[float] = []
    timed_out = False
    for _ in range(plan.repeats):
        reading, gave_up = _cool_down(plan)
        timed_out |= gave_up
        temperatures += [] if reading is None else [reading]
        repeats.append(_repeat(runner, prepared, plan))
    return Timing(
        load_ms=load_ms,
        first_run_ms=first_run_ms,
        samples_ms=repeats,
        time_bounded=any(len(times) < plan.iterations for times in repeats),
        temperature_c=max(temperatures, default=None),
        thermal_timed_out=timed_out if temperatures else None,
    )


def spread(samples_ms: list[list[float]]) -> tuple[list[float], float]:
    """Median of each repeat, and their range over the median of all samples."""
    medians = [statistics.median(times) for times in samples_ms]
    overall = statistics.median([value for times in samples_ms for value in times])
    return medians, (max(medians) - min(medians)) / overall


def _repeat(runner: Timed, prepared: Any, plan: Plan) -> list[float]:
    times: list[float] = []
    limit = time.perf_counter() + plan.repeat_seconds
    while len(times) < plan.iterations:
        times.append(_once(runner, prepared))
        if len(times) >= plan.least_iterations and time.perf_counter() > limit:
            break
    return times


def _once(runner: Timed, prepared: Any) -> float:
    started = time.perf_counter()
    runner.invoke(prepared)
    return _since(started)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1e3


def _cool_down(plan: Plan) -> tuple[float | None, bool]:
    """Wait until cool enough; the last reading, and whether waiting gave up."""
    limit = time.perf_counter() + plan.cool_seconds
    while True:
        reading = temperature_c()
        if reading is None or reading <= plan.cool_below_c:
            return reading, False
        if time.perf_counter() >= limit:
            return reading, True
        time.sleep(1)
