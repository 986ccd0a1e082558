"""One pair, in a process of its own: `python -m benchmarks.exports.worker REQUEST.json`.

What is found is written after each step, so that a converter or runtime that takes the process
down leaves what was known before, and the name of the step.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from mobile import latency, parity, recipes
from mobile.backend import Array, get_backend, not_timed
from mobile.export import ExportReport, export, exported_form, open_runner
from mobile.timing import Plan
from pipeline import checkpoint
from pipeline.errors import UserError
from pipeline.files import read_json, write_json
from pipeline.tasks.readout import CLASS_LOGITS

if TYPE_CHECKING:
    from torch import nn

    from mobile.backend import Runner
    from students import ModelSpec

PLAN = Plan(repeat_seconds=10)
Found = dict[str, Any]


def main() -> None:
    """Do what the request says; an error of any kind is part of what is found."""
    request = read_json(Path(sys.argv[1]))
    found: Found = {"step": "starting"}
    out = Path(request["out"])

    def told(step: str) -> None:
        found["step"] = step
        write_json(out, found)

    try:
        measure(request, found, told)
    except UserError as error:
        found["error"] = one_line(str(error))
    except Exception as error:  # converters and runtimes raise anything
        found["error"] = one_line(f"{found['step']}: {type(error).__name__}: {error}")
    told("ended")


def measure(request: Found, found: Found, told: Callable[[str], None]) -> None:
    """Export, compare, lint and time; every figure goes into `found` as soon as it is known."""
    told("loading the student")
    student, header = checkpoint.load_model(Path(request["checkpoint"]), "student")
    spec, recipe = checkpoint.spec_of(header), recipes.get(request["recipe"])
    photographs = np.load(request["photographs"], allow_pickle=False)
    images = [np.ascontiguousarray(image[None]) for image in photographs]
    compared, calibration = images[: request["compared"]], images[request["compared"] :]
    folder = Path(request["folder"])

    told("exporting")
    began = time.monotonic()
    report = export(student, spec, recipe, iter(calibration), folder)
    found |= {"seconds": round(time.monotonic() - began, 1), "peak_memory": peak_memory()}
    found |= described(report)

    told("linting")
    problems: list[str] = found.setdefault("problems", [])
    try:
        from benchmarks.exports.findings import findings

        kept = ("severity", "where", "what", "rewrite")
        rows = [asdict(each) for each in findings(student, spec, recipe, report, folder)]
        found["lint"] = [{name: row[name] for name in kept} for row in rows]
    except UserError as error:
        problems.append(one_line(f"not linted: {error}"))

    told("loading the file")
    backend, file = get_backend(recipe.backend), folder / report.file
    refused = backend.refusal()
    if refused:
        problems.append(f"not executed: {refused}")
        return
    runner = open_runner(file, request["threads"])
    told("running the file")
    found["executor"] = backend.executor()
    reference = exported_form(file, student)
    names = [str(number) for number in range(len(compared))]
    seen = parity.compare(runner, reference, compared, names)
    real = seen.real
    found["parity"] = {
        "max_abs": real.max_abs_max,
        "cc_min": real.cc_min,
        "sqnr_db_min": real.sqnr_db_min,
        "sqnr_db_mean": real.sqnr_db_mean,
    }
    problems += seen.problems(recipe)
    found["agreement"] = agreement(runner, reference, compared, spec, seen)

    told("timing the file")
    untimed = not_timed(backend)
    if untimed is None:
        found["ms"] = timed(file, report, folder / "input.npy", compared[0], request["threads"])


def described(report: ExportReport) -> Found:
    """What an export report has of a row."""
    kept = ("delegated", "total", "partitions", "undelegated")
    delegation = asdict(report.delegation) if report.delegation else None
    return {
        "bytes": report.bytes,
        "delegation": {name: delegation[name] for name in kept} if delegation else None,
        "form": report.form.name if report.form else None,
        "rewrites": dict(report.rewrites),
        "versions": dict(report.versions),
    }


def agreement(
    runner: Runner,
    student: nn.Module,
    images: list[Array],
    spec: ModelSpec,
    seen: parity.ParityReport,
) -> Found:
    """Share of pixels given the same class, or where there are none, CC of the maps."""
    if spec.output == CLASS_LOGITS:
        values = [same_class(parity.torch_output(student, i), runner.run(i)) for i in images]
        return {"of": "argmax", "mean": float(np.mean(values)), "min": min(values)}
    return {"of": "cc", "mean": seen.real.cc_mean, "min": seen.real.cc_min}


def same_class(expected: Array, obtained: Array) -> float:
    """Share of the pixels of two outputs (1, C, H, W) whose largest plane is the same."""
    return float((expected.argmax(axis=1) == obtained.argmax(axis=1)).mean())


def timed(file: Path, report: ExportReport, source: Path, image: Array, threads: int) -> Found:
    """Median of a process of its own, its interval, and how busy the machine was."""
    np.save(source, image)
    row = latency.measure(file, report, source, threads, PLAN)
    kept = {"p50": row.p50_ms, "low": row.low_ms, "high": row.high_ms}
    return {name: round(value, 3) for name, value in kept.items()} | {
        "threads": threads,
        "iterations": row.iterations * row.repeats,
        "peak_memory": row.peak_memory_bytes,
        "load": round(psutil.getloadavg()[0], 1),
    }


def peak_memory() -> int:
    """Largest resident memory of this process so far, bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def one_line(text: str) -> str:
    """Without line breaks and without the path of a log that is about to be removed."""
    return " ".join(text.partition("; full log")[0].split())[:400]


if __name__ == "__main__":
    main()
