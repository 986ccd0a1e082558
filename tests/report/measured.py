"""Exports, checks, latency and bundle of the fixture, through the dataclasses that write them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

import students
from mobile import manifest as bundle_manifest
from mobile import recipes
from mobile.backend import Delegation
from mobile.export import SCHEMA as EXPORT_SCHEMA
from mobile.export import Calibration, ExportReport, InputContract, OutputContract
from mobile.host import this_host
from mobile.inspection import Inspection, Port, Weights
from mobile.latency import EAGER
from mobile.latency_row import SCHEMA as LATENCY_SCHEMA
from mobile.latency_row import LatencyRow, read_lines
from mobile.parity import Summary
from pipeline import checkpoint
from pipeline.config import Config
from pipeline.files import sha256_bytes, write_json
from pipeline.metrics.bootstrap import paired_difference
from pipeline.metrics.summary import per_image_rows
from pipeline.paths import BUNDLE, CHECK, EXPORTS, HOST, INSPECTION, LATENCY_ROWS, MODEL
from pipeline.pictures import write_logits
from pipeline.report.read import SCORES
from pipeline.stages import bundle, check
from tests.report.made_up import logits, values

VERSIONS = {"python": "3.11.0"}


def export_report(config: Config, name: str, data: bytes) -> ExportReport:
    recipe = recipes.get(name)
    shape = (1, 3, 192, 256)
    delegation = Delegation("XNNPACK", "nodes", 120, 124, 2, {"aten::cat": 4})
    if not executed(name):
        delegation = None
    return ExportReport(
        schema=EXPORT_SCHEMA,
        student=config.student.name,
        recipe=name,
        backend=recipe.backend,
        precision=recipe.precision,
        file=f"model{recipe.suffix}",
        bytes=len(data),
        sha256=sha256_bytes(data),
        input=InputContract("images", "NCHW", shape, "float32", (0.0, 255.0), "RGB"),
        output=OutputContract("logits", (1, 1, 192, 256), "logits"),
        delegation=delegation,
        calibration=Calibration(2, "ef" * 32) if recipe.calibrated else None,
        versions=VERSIONS,
    )


def write_exports(config: Config, ids: Sequence[str]) -> None:
    for index, name in enumerate(config.export.recipes):
        quantised = recipes.get(name).precision == "int8"
        data = (config.student.name.encode() + bytes([index])) * (400 if quantised else 1400)
        report = export_report(config, name, data)
        folder = EXPORTS / name
        write_json(folder / "export.json", dataclasses.asdict(report))
        (folder / report.file).write_bytes(data)
        if not executed(name):
            write_json(CHECK / f"{name}.json", unexecuted_row(report))
            write_json(CHECK / name / INSPECTION, inspection(report).row())
            continue
        loss = 0.002 * quantised
        write_json(CHECK / f"{name}.json", check_row(report, len(ids), loss))
        write_json(CHECK / name / INSPECTION, None)
        scores = {metric: own for metric, own, _ in pairs(len(ids), loss)}
        write_json(CHECK / name / SCORES, per_image_rows(ids, scores))
        for image in ids:
            write_logits(CHECK / name / f"{image}.npy", logits(0.09))


def executed(recipe: str) -> bool:
    """Core ML's files are inspected only, wherever the tests run."""
    return recipes.get(recipe).backend != "coreml"


def pairs(count: int, loss: float) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
    """Metric, scores of a file and torch's, image by image: the last one loses most."""
    for metric, torch_values in values(count, 0.08).items():
        lost = loss * torch.linspace(0.5, 1.5, count, dtype=torch.float64)
        yield metric, torch_values + (lost if metric == "KLDiv" else -lost), torch_values


def check_row(report: ExportReport, count: int, loss: float) -> dict[str, Any]:
    """As `pipeline.stages.check` puts it together."""
    summary = Summary(45.0, 38.0, 0.9999, 0.999, 2e-5, 4e-5, 0.99995, 0.9991)
    if not loss:
        summary = dataclasses.replace(summary, sqnr_db_mean=None, sqnr_db_min=None)
    rows = {}
    for metric, own, torch_values in pairs(count, loss):
        interval = paired_difference(own.numpy(), torch_values.numpy(), seed=0)
        means = {"file": float(own.mean()), "torch": float(torch_values.mean())}
        low_high = {"low": interval.low, "high": interval.high}
        rows[metric] = {**means, "difference": interval.mean, **low_high}
    return {
        "recipe": report.recipe,
        "bytes": report.bytes,
        "delegated": 120,
        "nodes": 124,
        "partitions": 2,
        **check.unexecuted(""),
        "gate": [],
        "problems": [],
        "executed": True,
        "reason": None,
        "parity": dataclasses.asdict(summary) | {"images": count},
        "metrics": rows,
        "strata": {
            "small regions": {"images": 12, "NSS": rows["NSS"], "CC": rows["CC"]},
            "crowded": {"images": 3},
            "low contrast": {"images": 12, "NSS": rows["NSS"], "CC": rows["CC"]},
        },
    }


def inspection(report: ExportReport) -> Inspection:
    """What was read in a file that cannot run here."""
    port = Port("images", (1, 3, 192, 256), "float32")
    return Inspection(
        kind="ML Program",
        target="iOS16",
        bytes=report.bytes,
        inputs=[port],
        outputs=[port],
        operators={"conv": 69, "relu": 43},
        computed={"fp16": 111, "fp32": 1},
        weights=Weights(69, 69, 4000, {"fp16": 69}, 0.0004),
        problems=[],
    )


def unexecuted_row(report: ExportReport) -> dict[str, Any]:
    """As `pipeline.stages.check` puts it together for a file that cannot run here."""
    return {
        "recipe": report.recipe,
        "bytes": report.bytes,
        "delegated": None,
        "nodes": None,
        "partitions": None,
        **check.unexecuted("runs on another system only"),
        "gate": [],
        "problems": [],
    }


def latency_row(config: Config, name: str, sha256: str, p50: float, **changes: Any) -> LatencyRow:
    host = this_host()
    row: dict[str, Any] = {
        "schema": LATENCY_SCHEMA,
        "artefact_sha256": sha256,
        "student": config.student.name,
        "recipe": name,
        "delegate_asked": "XNNPACK",
        "delegate_obtained": "XNNPACK",
        "nodes_delegated": 120,
        "nodes_total": 124,
        "partitions": 2,
        "threads": 2,
        "affinity": [0, 1],
        "device": "a processor",
        "os": "Linux 6",
        "runtime": "a runtime",
        "runtime_version": "1.0",
        "clocks": "unreadable",
        "input_shape": [1, 3, 192, 256],
        "input_sha256": "cd" * 32,
        "load_ms": 3.5,
        "first_run_ms": 1.5 * p50,
        "warmups": 5,
        "repeats": 3,
        "iterations": 20,
        "time_bounded": False,
        "p50_ms": p50,
        "p90_ms": 1.1 * p50,
        "p95_ms": 1.2 * p50,
        "p99_ms": 1.3 * p50,
        "mean_ms": 1.02 * p50,
        "cv": 0.05,
        "low_ms": 0.97 * p50,
        "high_ms": 1.04 * p50,
        "repeat_p50_ms": [p50, p50, p50],
        "spread": 0.025,
        "peak_memory_bytes": 90 * 2**20,
        "baseline_memory_bytes": 40 * 2**20,
        "temperature_c": None,
        "thermal_timed_out": None,
        "host": host.fingerprint(),
        "source": "host-proxy",
    }
    return LatencyRow(**{**row, **changes})


def write_latency(config: Config) -> None:
    rows = [latency_row(config, EAGER, "ab" * 32, 40.0)]
    for index, name in enumerate(filter(executed, config.export.recipes)):
        report = ExportReport.read(EXPORTS / name / "export.json")
        rows.append(latency_row(config, name, report.sha256, 12.0 + 5 * index))
    write_rows(rows)
    host = this_host()
    write_json(HOST, dataclasses.asdict(host) | {"fingerprint": host.fingerprint()})


def write_rows(rows: list[LatencyRow]) -> None:
    LATENCY_ROWS.write_text("".join(json.dumps(row.row()) + "\n" for row in rows))


def write_bundle(config: Config) -> None:
    """A manifest with everything `mobile.manifest.load` asks for; no golden outputs."""
    _, header = checkpoint.read(Path(config.student.final) / MODEL)
    spec = students.spec(config.student.name)
    content = {
        "schema": bundle_manifest.SCHEMA,
        "spec": dataclasses.asdict(spec),
        "input": bundle_manifest.input_contract(192, 256),
        "output": {"shape": [1, 1, 192, 256], "meaning": spec.output},
        "artefacts": {name: artefact(name) for name in config.export.recipes},
        "golden": [],
        "lineage": bundle.lineage(config, header),
        "versions": VERSIONS,
        "files": {},
    }
    write_json(BUNDLE / bundle_manifest.NAME, content)


def artefact(name: str) -> dict[str, Any]:
    """The part of an entry of the manifest that report and gate read."""
    given = bundle.artefact(name, read_lines(LATENCY_ROWS))
    report = ExportReport.read(EXPORTS / name / "export.json")
    return {
        **dataclasses.asdict(report),
        "path": f"artefacts/{name}/{report.file}",
        "executed": given.reason is None,
        "reason": given.reason,
        "parity": given.parity,
        "metrics": given.metrics,
        "latency": [row.row() for row in given.latency],
    }
