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
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mobile.backend import Array, get_backend, not_timed
from mobile.export import ExportReport
from mobile.host import this_host
from mobile.latency_row import LatencyRow
from mobile.measured import Measured, Place, Subject, row
from mobile.timing import Plan, Timing
from pipeline.errors import UserError
from pipeline.files import read_json, sha256_file, tree_hash

EAGER = "torch_eager"
_ROOT = Path(__file__).resolve().parent.parent
_TIMEOUT_SECONDS = 1800


def measure(
    file: Path, report: ExportReport, image: Path, threads: int, plan: Plan | None = None
) -> LatencyRow:
    """Latency of an exported `file` on `image`, a float32 (1, 3, H, W) `.npy`.

    `report` is the file's own export report. Raises `UserError` when the file is not the one of
    the report, is not run by its own runtime here, or when the measuring process fails, with what
    it said.
    """
    subject = described(file, report)
    backend = get_backend(report.backend)
    reason = not_timed(backend)
    if reason:
        raise UserError(f"{file} is not timed on this machine: {reason}")
    return _row(subject, backend.runtime, image, threads, plan or Plan(), ())


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
    subject = Subject(weights, sha256_file(weights), student, EAGER, None)
    return _row(subject, "torch", image, threads, plan or Plan(), more)


def _row(
    subject: Subject, runtime: str, image: Path, threads: int, plan: Plan, more: tuple[str, ...]
) -> LatencyRow:
    pixels = read_input(image)
    timed = _spawn(subject, image, threads, (*more, "--plan", json.dumps(asdict(plan))))
    memory = _spawn(subject, image, threads, (*more, "--memory"))["memory"]
    measured = Measured(
        Timing(**timed["timing"]), timed["affinity"], memory["peak"], memory["baseline"]
    )
    return row(subject, pixels, threads, plan, measured, _here(runtime))


def _here(runtime: str) -> Place:
    host = this_host()
    version = host.versions.get(runtime, "unknown")
    return Place(host.cpu, host.os, host.clocks, runtime, version, host.fingerprint(), "host-proxy")


def described(file: Path, report: ExportReport) -> Subject:
    """`file` as its export report describes it; `UserError` when it is not that file."""
    digest = tree_hash(file) if file.exists() else "none"
    if digest != report.sha256:
        raise UserError(
            f"{file} is not the file of its export report (sha256 {digest[:12]}…, "
            f"report {report.sha256[:12]}…); export again"
        )
    return Subject(file, digest, report.student, report.recipe, report.delegation)


def read_input(path: Path) -> Array:
    """The latency input of a file: float32 (1, 3, H, W); `UserError` for anything else."""
    try:
        pixels = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is no latency input ({error}); give a float32 .npy") from error
    if pixels.ndim != 4 or pixels.shape[:2] != (1, 3) or pixels.dtype != np.float32:
        raise UserError(
            f"{path} holds {pixels.dtype} of shape {pixels.shape}; expected float32 (1, 3, H, W)"
        )
    image: Array = pixels
    return image


def _spawn(subject: Subject, image: Path, threads: int, more: tuple[str, ...]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "raw.json"
        command = [sys.executable, "-m", "mobile.latency", str(subject.file.resolve())]
        command += ["--input", str(image.resolve()), "--out", str(out)]
        command += ["--threads", str(threads), *more]
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
