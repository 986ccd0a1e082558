"""What a measurement yields, wherever it was taken, and the one row made of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mobile.backend import Array, Delegation
from mobile.latency_row import SCHEMA, LatencyRow, Source
from mobile.timing import Plan, Timing, spread
from pipeline.files import sha256_bytes
from pipeline.metrics import bootstrap


@dataclass(frozen=True)
class Subject:
    """What is measured, as the row will name it."""

    file: Path
    sha256: str
    student: str
    recipe: str
    delegation: Delegation | None


@dataclass(frozen=True)
class Place:
    """Where it was measured, without naming the machine."""

    device: str
    """Processor or phone model."""
    os: str
    clocks: str
    """Frequency governor and range, or `unreadable`."""
    runtime: str
    runtime_version: str
    host: str
    """Fingerprint: equal where milliseconds may be compared."""
    source: Source


@dataclass(frozen=True)
class Measured:
    """Raw figures of one file."""

    timing: Timing
    affinity: list[int] | None
    """Processors it was pinned to; None where the system cannot pin."""
    peak_memory_bytes: int | None = None
    baseline_memory_bytes: int | None = None
    delegate_obtained: str | None = None
    """What the runtime itself says it used; None where it does not tell: the export's word."""


def row(
    subject: Subject, pixels: Array, threads: int, plan: Plan, measured: Measured, place: Place
) -> LatencyRow:
    """The row of a measurement on `pixels`, float32 (1, 3, H, W)."""
    timing, delegation = measured.timing, subject.delegation
    samples = np.concatenate([np.asarray(times) for times in timing.samples_ms])
    medians, drift = spread(timing.samples_ms)
    p50, p90, p95, p99 = (float(value) for value in np.percentile(samples, (50, 90, 95, 99)))
    interval = bootstrap.median_interval(samples, seed=0)
    said = delegation.delegate if delegation and delegation.delegated else "none"
    return LatencyRow(
        schema=SCHEMA,
        artefact_sha256=subject.sha256,
        student=subject.student,
        recipe=subject.recipe,
        delegate_asked=delegation.delegate if delegation else "none",
        delegate_obtained=measured.delegate_obtained or said,
        nodes_delegated=delegation.delegated if delegation else None,
        nodes_total=delegation.total if delegation else None,
        partitions=delegation.partitions if delegation else None,
        threads=threads,
        affinity=measured.affinity,
        device=place.device,
        os=place.os,
        runtime=place.runtime,
        runtime_version=place.runtime_version,
        clocks=place.clocks,
        input_shape=list(pixels.shape),
        input_sha256=sha256_bytes(np.ascontiguousarray(pixels).tobytes()),
        load_ms=timing.load_ms,
        first_run_ms=timing.first_run_ms,
        warmups=plan.warmups,
        repeats=len(timing.samples_ms),
        iterations=min(len(times) for times in timing.samples_ms),
        time_bounded=timing.time_bounded,
        p50_ms=p50,
        p90_ms=p90,
        p95_ms=p95,
        p99_ms=p99,
        mean_ms=float(samples.mean()),
        cv=float(samples.std() / samples.mean()),
        low_ms=interval.low,
        high_ms=interval.high,
        repeat_p50_ms=medians,
        spread=drift,
        peak_memory_bytes=measured.peak_memory_bytes,
        baseline_memory_bytes=measured.baseline_memory_bytes,
        temperature_c=timing.temperature_c,
        thermal_timed_out=timing.thermal_timed_out,
        host=place.host,
        source=place.source,
    )
