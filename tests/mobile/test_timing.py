"""The timed loop does what its plan says, in that order."""

from __future__ import annotations

import time

import numpy as np
import pytest

from mobile import timing
from mobile.timing import Plan, spread, time_runner

IMAGE = np.zeros((1, 3, 8, 8), np.float32)


class Counting:
    """Counts calls; `slow` makes each run last that many seconds."""

    def __init__(self, slow: float = 0.0) -> None:
        self.slow = slow
        self.prepared = 0
        self.runs = 0

    def prepare(self, image: np.ndarray) -> np.ndarray:
        self.prepared += 1
        return image

    def invoke(self, prepared: np.ndarray) -> None:
        self.runs += 1
        time.sleep(self.slow)


def test_every_run_of_the_plan_happens_once() -> None:
    runner = Counting()
    timed = time_runner(lambda: runner, IMAGE, Plan(warmups=5, repeats=3, iterations=20))
    assert runner.prepared == 1
    assert runner.runs == 1 + 5 + 3 * 20
    assert [len(times) for times in timed.samples_ms] == [20, 20, 20]
    assert not timed.time_bounded


def test_a_slow_model_stops_at_the_limit_and_says_so() -> None:
    runner = Counting(slow=0.01)
    plan = Plan(warmups=0, repeats=2, iterations=1000, repeat_seconds=0.02, least_iterations=5)
    timed = time_runner(lambda: runner, IMAGE, plan)
    assert timed.time_bounded
    assert all(5 <= len(times) < 20 for times in timed.samples_ms)


def test_times_are_milliseconds() -> None:
    timed = time_runner(lambda: Counting(slow=0.005), IMAGE, Plan(1, 1, 5))
    assert min(timed.samples_ms[0]) >= 5
    assert timed.first_run_ms >= 5


def test_the_default_plan_is_the_protocol_minimum() -> None:
    plan = Plan()
    assert plan.warmups >= 5
    assert plan.repeats >= 3
    assert plan.iterations >= 20


def test_a_hot_machine_is_waited_for_and_then_recorded(monkeypatch) -> None:
    readings = iter([50.0, 36.0, 40.0])
    monkeypatch.setattr(timing, "temperature_c", lambda: next(readings))
    monkeypatch.setattr(timing.time, "sleep", lambda seconds: None)
    cooled = time_runner(Counting, IMAGE, Plan(0, 1, 1, cool_seconds=60))
    assert (cooled.temperature_c, cooled.thermal_timed_out) == (36.0, False)
    at_once = time_runner(Counting, IMAGE, Plan(0, 1, 1, cool_seconds=0))
    assert (at_once.temperature_c, at_once.thermal_timed_out) == (40.0, True)


def test_an_unreadable_temperature_is_none(monkeypatch) -> None:
    monkeypatch.setattr(timing, "temperature_c", lambda: None)
    timed = time_runner(Counting, IMAGE, Plan(0, 1, 1))
    assert (timed.temperature_c, timed.thermal_timed_out) == (None, None)


def test_spread_is_drift_between_repeats() -> None:
    medians, drift = spread([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]])
    assert medians == [2.0, 3.0]
    assert drift == pytest.approx(1 / 2.5)
