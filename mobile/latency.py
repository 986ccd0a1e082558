"""Latency of a file, measured in a fresh process: `measure`, `measure_eager`.

Protocol: at least 5 warm-ups, then at least 3 repeats of at least 20 timed iterations (a slow model
stops at a time limit and says so); threads and processors pinned and stated; one deterministic
real input given as a file; load and first run apart; peak memory in a pass of its own. A host's
milliseconds are a proxy (`source: host-proxy`): compare rows of one run, as ratios.

`python -m mobile.latency FILE --input IMAGE.npy --out RAW.json` is the measuring process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mobile.backend import Delegation, get_backend, not_timed
from mobile.export import ExportReport
from mobile.host import this_host
from mobile.latency_row import SCHEMA, LatencyRow
from mobile.timing import Plan, spread
from pipeline.errors import UserError
from pipeline.files import read_json, sha256_bytes, sha256_file, tree_hash
from pipeline.metrics import bootstrap

EAGER = "torch_eager"
_ROOT = Path(__file__).resolve().parent.parent
_TIMEOUT_SECONDS = 1800


@dataclass(frozen=True)
class Subject:
    """What is measured, as the row will name it."""

    file: Path
    sha256: str
    student: str
    recipe: str
    runtime: str
    delegation: Delegation | None
    arguments: tuple[str, ...] = ()
    """More arguments of the measuring process."""


def measure(
    file: Path, report: ExportReport, image: Path, threads: int, plan: Plan | None = None
) -> LatencyRow:
    """Latency of an exported `file` on `image`, a float32 (1, 3, H, W) `.npy`.

    `report` is the file's own export report. Raises `UserError` when the file is not the one of
    the report, is not run by its own runtime here, or when the measuring process fails, with what
    it said.
    """
    digest = tree_hash(file) if file.exists() else "none"
    if digest != report.sha256:
        raise UserError(
            f"{file} is not the file of its export report (sha256 {digest[:12]}…, "
            f"report {report.sha256[:12]}…); export again"
        )
    backend = get_backend(report.backend)
    reason = not_timed(backend)
    if reason:
        raise UserError(f"{file} is not timed on this machine: {reason}")
    runtime = backend.runtime
    subject = Subject(file, digest, report.student, report.recipe, runtime, report.delegation)
    return _row(subject, image, threads, plan or Plan())


def measure_eager(
    weights: Path,
    student: str,
    image: Path,
    threads: int,
    plan: Plan | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> LatencyRow:
    """The same for torch eager: `students.build(student, **overrides)` with `weights`.

    `weights` is a safetensors file with the student's state dict.
    """
    more = ("--student", student, "--overrides", json.dumps(dict(overrides or {})))
    if not weights.is_file():
        raise UserError(f"{weights} is missing; train the student first")
    subject = Subject(weights, sha256_file(weights), student, EAGER, "torch", None, more)
    return _row(subject, image, threads, plan or Plan())


def _row(subject: Subject, image: Path, threads: int, plan: Plan) -> LatencyRow:
    pixels = _image(image)
    timed = _spawn(subject, image, threads, ("--plan", json.dumps(asdict(plan))))
    memory = _spawn(subject, image, threads, ("--memory",))["memory"]
    timing = timed["timing"]
    samples = np.concatenate([np.asarray(times) for times in timing["samples_ms"]])
    medians, drift = spread(timing["samples_ms"])
    p50, p90, p95, p99 = (float(value) for value in np.percentile(samples, (50, 90, 95, 99)))
    interval = bootstrap.median_interval(samples, seed=0)
    host = this_host()
    delegation = subject.delegation
    return LatencyRow(
        schema=SCHEMA,
        artefact_sha256=subject.sha256,
        student=subject.student,
        recipe=subject.recipe,
        delegate_asked=delegation.delegate if delegation else "none",
        delegate_obtained=delegation.delegate if delegation and delegation.delegated else "none",
        nodes_delegated=delegation.delegated if delegation else None,
        nodes_total=delegation.total if delegation else None,
        partitions=delegation.partitions if delegation else None,
        threads=threads,
        affinity=timed["affinity"],
        device=host.cpu,
        os=host.os,
        runtime=subject.runtime,
        runtime_version=host.versions.get(subject.runtime, "unknown"),
        clocks=host.clocks,
        input_shape=list(pixels.shape),
        input_sha256=sha256_bytes(np.ascontiguousarray(pixels).tobytes()),
        load_ms=timing["load_ms"],
        first_run_ms=timing["first_run_ms"],
        warmups=plan.warmups,
        repeats=len(timing["samples_ms"]),
        iterations=min(len(times) for times in timing["samples_ms"]),
        time_bounded=timing["time_bounded"],
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
        peak_memory_bytes=memory["peak"],
        baseline_memory_bytes=memory["baseline"],
        temperature_c=timing["temperature_c"],
        thermal_timed_out=timing["thermal_timed_out"],
        host=host.fingerprint(),
        source="host-proxy",
    )


def _image(path: Path) -> Any:
    try:
        pixels = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is no latency input ({error}); give a float32 .npy") from error
    if pixels.ndim != 4 or pixels.shape[:2] != (1, 3) or pixels.dtype != np.float32:
        raise UserError(
            f"{path} holds {pixels.dtype} of shape {pixels.shape}; expected float32 (1, 3, H, W)"
        )
    return pixels


def _spawn(subject: Subject, image: Path, threads: int, more: tuple[str, ...]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "raw.json"
        command = [sys.executable, "-m", "mobile.latency", str(subject.file.resolve())]
        command += ["--input", str(image.resolve()), "--out", str(out)]
        command += ["--threads", str(threads), *subject.arguments, *more]
        try:
            done = subprocess.run(
                command,
                env=_environment(threads),
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise UserError(
                f"measuring {subject.file} took more than {_TIMEOUT_SECONDS} s; "
                "give a plan with fewer iterations"
            ) from error
        if done.returncode != 0:
            said = "\n".join(done.stderr.strip().splitlines()[-5:])
            raise UserError(f"measuring {subject.file} failed (status {done.returncode}): {said}")
        raw: dict[str, Any] = read_json(out)
    return raw


def _environment(threads: int) -> dict[str, str]:
    search = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    pools = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    # How the pipeline's own stages let threads wait halves torch's speed on one small image.
    waiting = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    return {
        **{name: value for name, value in os.environ.items() if name not in waiting},
        "PYTHONPATH": os.pathsep.join(search),
        **{name: str(threads) for name in pools},
    }


if __name__ == "__main__":
    from mobile.latency_child import main

    sys.exit(main())
