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
from pipeline.paths import CALIBRATION, DATA, EVALUATE, METRICS, MODEL
from pipeline.report.facts import Facts, File, Loss, Timing

CsvRow = Mapping[str, str]


def base(config: Config) -> Facts:
    """Facts of training and evaluation alone: all that exists before an export.

    Raises `UserError` naming what is missing.
    """
    path = Path(config.student.final) / MODEL
    _, header = checkpoint.read(path)
    roles = manifest.roles(DATA)
    return Facts(
        config=config,
        height=header["height"],
        width=header["width"],
        checkpoint_bytes=path.stat().st_size,
        means=read_json(METRICS),
        per_image=read_json(EVALUATE / "per_image.json"),
        roles=roles,
        calibration=read_json(CALIBRATION)["count"],
        lineage=[
            *((f"data {name}", role["sha256"]) for name, role in roles.items()),
            (f"student {config.student.name}", sha256_file(path)),
        ],
        versions=header["versions"],
    )


def exported(
    export: Mapping[str, Any], checked: Mapping[str, Any], summary: str, timing: Timing | None
) -> File:
    """One file from its export report, its check and its latency.

    A latency row of another file than the exported one becomes a problem of this file.
    """
    problems = list(checked["problems"])
    if timing and timing.row["artefact_sha256"] != export["sha256"]:
        problems.append("latency was measured on another file; run `dvc repro latency`")
    return File(
        recipe=export["recipe"],
        backend=export["backend"],
        precision=export["precision"],
        summary=summary,
        bytes=export["bytes"],
        sha256=export["sha256"],
        delegate=export["delegation"]["delegate"],
        delegated=checked["delegated"],
        nodes=checked["nodes"],
        partitions=checked["partitions"],
        parity=checked["parity"],
        metrics={name: Loss(**row) for name, row in checked["metrics"].items()},
        problems=problems,
        timing=timing,
    )


def chain(lineage: Mapping[str, Any], files: list[File]) -> list[tuple[str, str]]:
    """The bundle's lineage in the order things were made, then the files."""
    student = lineage["student"]
    links = [(f"data {name}", role["sha256"]) for name, role in lineage["data"].items()]
    links += [(f"teacher {name}", digest) for name, digest in lineage["teachers"].items()]
    links += [(f"labels by {name}", digest) for name, digest in lineage["labels"].items()]
    links += [
        (f"student {student['header']['model']}", digest)
        for digest in student["checkpoint"].values()
    ]
    links.append(("calibration images", lineage["calibration"]["sha256"]))
    return links + [(file.recipe, file.sha256) for file in files]


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
