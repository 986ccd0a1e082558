"""From `outputs/` to facts and curves: plain JSON and CSV, with errors that name the file."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import checkpoint
from pipeline.config import Config
from pipeline.data import manifest
from pipeline.errors import UserError
from pipeline.files import read_json, sha256_file
from pipeline.metrics.baselines import Baselines
from pipeline.paths import (
    BASELINES,
    CALIBRATION,
    CHECK,
    DATA,
    EVALUATE,
    INSPECTION,
    METRICS,
    MODEL,
    TRAIN,
)
from pipeline.report.facts import Facts, File, Loss, Timing

CsvRow = Mapping[str, str]
SCORES = "per_image.json"
"""In a file's folder of checks: its scores on every validation image."""


def base(config: Config) -> Facts:
    """Facts of training and evaluation alone: all that exists before an export.

    Raises `UserError` naming what is missing.
    """
    path = Path(config.student.final) / MODEL
    calibration = read_json(CALIBRATION)
    _, header = checkpoint.read(path)
    return Facts(
        config=config,
        height=header["height"],
        width=header["width"],
        checkpoint_bytes=path.stat().st_size,
        means=read_json(METRICS),
        per_image=read_json(EVALUATE / "per_image.json"),
        roles=manifest.roles(DATA),
        calibration=calibration["count"],
        digests={"calibration": calibration["sha256"], **phases(config)},
        versions=header["versions"],
        against=against(EVALUATE / BASELINES),
    )


def against(path: Path) -> str:
    """What the baselines of an evaluation are, in words; nothing where it had none."""
    about = Baselines.read(path).about if path.exists() else None
    if about is None:
        return ""
    return f"sAUC is against fixations on other images; IG in bits per fixation over {about}."


def exported(
    export: Mapping[str, Any], checked: Mapping[str, Any], summary: str, timing: Timing | None
) -> File:
    """One file from its export report, its check and its latency.

    A latency row of another file than the exported one becomes a problem of this file.
    """
    problems = list(checked["problems"])
    scores = CHECK / export["recipe"] / SCORES
    if timing and timing.row["artefact_sha256"] != export["sha256"]:
        problems.append("latency was measured on another file; run `dvc repro latency`")
    return File(
        recipe=export["recipe"],
        backend=export["backend"],
        precision=export["precision"],
        summary=summary,
        bytes=export["bytes"],
        sha256=export["sha256"],
        delegate=(export["delegation"] or {"delegate": "none"})["delegate"],
        delegated=checked["delegated"],
        nodes=checked["nodes"],
        partitions=checked["partitions"],
        parity=checked["parity"],
        metrics={name: Loss(**row) for name, row in (checked["metrics"] or {}).items()},
        problems=problems,
        timing=timing,
        reason=checked.get("reason"),
        executor=checked.get("executor") or "",
        untimed=checked.get("untimed"),
        inspection=read_json(CHECK / export["recipe"] / INSPECTION),
        per_image=read_json(scores) if scores.exists() else (),
        strata=checked.get("strata") or {},
        calibrated=export["calibration"] is not None,
    )


def phases(config: Config) -> dict[str, str]:
    """Hash of the checkpoint of every phase of the student that has one."""
    paths = {f"phase {name}": TRAIN / name / MODEL for name in config.student.phases}
    return {key: sha256_file(path) for key, path in paths.items() if path.exists()}


def digests(lineage: Mapping[str, Any]) -> dict[str, str]:
    """Hashes that only a bundle's lineage holds: of teachers and of their labels."""
    found = {f"teacher {name}": digest for name, digest in lineage["teachers"].items()}
    return found | {f"labels {name}": digest for name, digest in lineage["labels"].items()}


def table(path: Path) -> list[CsvRow]:
    """Rows of a CSV, empty where there is no such file."""
    if not path.exists():
        return []
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def number(row: CsvRow, column: str, path: Path) -> float | None:
    """A cell as a number, None where it is empty. `UserError` for anything else."""
    text = row.get(column)
    if text is None or text == "":
        return None
    try:
        return float(text)
    except ValueError as error:
        raise UserError(
            f"{path} has {text!r} where {column} should be a number; run `dvc repro`"
        ) from error
