"""Latency of every exported file and of torch, one after the other in one run: ratios count."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mobile import bare, history, recipes
from mobile.backend import get_backend, not_timed
from mobile.export import ExportReport
from mobile.latency import measure, measure_eager
from mobile.latency_row import LatencyRow
from mobile.timing import Plan
from pipeline import checkpoint
from pipeline.config import Config
from pipeline.config.schema import Latency
from pipeline.data import manifest
from pipeline.data.dataset import read_image
from pipeline.engine.progress import Meter
from pipeline.files import atomic_write_bytes, atomic_write_text, write_json
from pipeline.paths import DATA, EXPORTS, LATENCY, LATENCY_ROWS, MODEL, OUTPUTS
from pipeline.stages.entry import stage
from pipeline.stages.export import calibration_images

TORCH = "torch"
INPUT = OUTPUTS / ".latency-input.npy"


@stage
def main(config: Config) -> None:
    """Write outputs/latency.jsonl (rows) and outputs/latency.json (medians and ratios).

    A file that cannot run on this machine, or only by something whose time is not its runtime's,
    has no row, and its reason in the place of its figures.
    """
    refused = refusals(config)
    rows = measure_all(config, [name for name in config.export.recipes if name not in refused])
    text = "".join(json.dumps(row.row()) + "\n" for row in rows.values())
    atomic_write_text(LATENCY_ROWS, text)
    history.keep(rows.values())
    base = rows[TORCH].p50_ms
    summary: dict[str, dict[str, float]] = {
        name: {
            "p50_ms": round(row.p50_ms, 3),
            "p90_ms": round(row.p90_ms, 3),
            "ratio_to_torch": round(row.p50_ms / base, 4),
        }
        for name, row in rows.items()
    }
    write_json(LATENCY, {**summary, **{n: {"not_measured": why} for n, why in refused.items()}})
    for name, entry in summary.items():
        print(f"{name}: {entry['p50_ms']:.2f} ms, {entry['ratio_to_torch']:.3f} of torch")
    for name, why in refused.items():
        print(f"{name}: not measured: {why}")


def refusals(config: Config) -> dict[str, str]:
    """Recipes whose files cannot be timed on this machine, and why."""
    reasons = {n: not_timed(get_backend(recipes.get(n).backend)) for n in config.export.recipes}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def measure_all(config: Config, names: Sequence[str]) -> dict[str, LatencyRow]:
    """Rows of the recipes `names`, torch eager first."""
    plan, threads = timing(config.latency), config.latency.threads
    weights = Path(config.student.final) / MODEL
    write_input(config)
    rows: dict[str, LatencyRow] = {}
    try:
        with Meter("latency", 1 + len(names), "files") as meter:
            name, built_with = config.student.name, checkpoint.read(weights)[1]["overrides"]
            rows[TORCH] = measure_eager(weights, name, INPUT, threads, plan, built_with)
            meter(1, TORCH)
            for name in names:
                report = ExportReport.read(EXPORTS / name / "export.json")
                rows[name] = measure(EXPORTS / name / report.file, report, INPUT, threads, plan)
                meter(1, name)
            if config.budget.bare_ratio is not None:
                rows |= measure_bare(config, names)
    finally:
        INPUT.unlink(missing_ok=True)
    return rows


def measure_bare(config: Config, names: Sequence[str]) -> dict[str, LatencyRow]:
    """Rows of the student's bare backbone, by the same recipes; none where it has no backbone."""
    student, header = checkpoint.load_model(Path(config.student.final) / MODEL, "student")
    backbone, spec = bare.of(student), checkpoint.spec_of(header)
    if backbone is None:
        return {}
    plan, threads = timing(config.latency), config.latency.threads
    rows = {}
    for name in names:
        images = calibration_images(header["height"], header["width"])
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            report = bare.export_bare(backbone, spec, recipes.get(name), images, folder)
            row = measure(folder / report.file, report, INPUT, threads, plan)
        rows[name + bare.SUFFIX] = row
    return rows


def write_input(config: Config) -> None:
    """The first validation image: one real, deterministic input for every row."""
    _, header = checkpoint.read(Path(config.student.final) / MODEL)
    record = manifest.load_role(DATA, "val").records[0]
    image = read_image(record, header["height"], header["width"])[None].numpy()
    buffer = io.BytesIO()
    np.save(buffer, image, allow_pickle=False)
    atomic_write_bytes(INPUT, buffer.getvalue())


def timing(settings: Latency) -> Plan:
    """The configured protocol."""
    return Plan(
        warmups=settings.warmup,
        repeats=settings.repeats,
        iterations=settings.iterations,
        repeat_seconds=settings.seconds,
    )


if __name__ == "__main__":
    main()
