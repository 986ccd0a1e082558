"""Put everything an app needs, with its proof, into one folder and onto the shelf."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobile.bundle import Artefact, assemble, verify
from mobile.latency_row import LatencyRow, read_lines
from pipeline import checkpoint, provenance, shelf, tasks
from pipeline.config import Config
from pipeline.data import classes, manifest
from pipeline.data.images import read_rgb
from pipeline.data.resize import resize
from pipeline.errors import UserError
from pipeline.files import read_json
from pipeline.paths import (
    BUNDLE,
    CALIBRATION,
    CHECK,
    DATA,
    EXPORTS,
    INSPECTION,
    LABELS,
    LATENCY_ROWS,
    METRICS,
    MODEL,
    TEACHERS,
)
from pipeline.stages.entry import stage

GOLDEN = 3


@stage
def main(config: Config) -> None:
    """Write outputs/bundle and publish it."""
    path = Path(config.student.final) / MODEL
    student, header = checkpoint.load_model(path, "student", config.student.name)
    rows = read_lines(LATENCY_ROWS)
    artefacts = [artefact(name, rows) for name in config.export.recipes]
    golden = golden_inputs(header["height"], header["width"])
    spec, made_of = checkpoint.spec_of(header), lineage(config, header)
    assemble(BUNDLE, spec, student, artefacts, golden, made_of, class_names(config))
    problems = verify(BUNDLE)
    if problems:
        raise UserError(f"the bundle is not whole: {'; '.join(problems)}")
    home = shelf.publish(config.student.name, BUNDLE, path)
    print(f"bundle: {BUNDLE}, and on the shelf as {home.name}")


def artefact(recipe: str, rows: list[LatencyRow]) -> Artefact:
    """One exported file with what was measured on it."""
    checked = read_json(CHECK / f"{recipe}.json")
    own = tuple(row for row in rows if row.recipe == recipe)
    told = ("metrics", "strata", "problems", "parameters")
    metrics = {name: checked.get(name) for name in told}
    return Artefact(
        EXPORTS / recipe,
        checked["parity"],
        metrics,
        own,
        checked.get("reason"),
        read_json(CHECK / recipe / INSPECTION),
        checked.get("executor"),
        checked.get("untimed"),
    )


def class_names(config: Config) -> tuple[str, ...]:
    """Of the data's class list, or of its folders; none where nothing has classes."""
    if "target" in tasks.get(config.student.task).needs:
        return tuple(read_json(DATA / "classes.json")["classes"])
    return classes.get(config.data.classes).classes if config.data.classes else ()


def golden_inputs(height: int, width: int) -> dict[str, NDArray[np.uint8]]:
    """The first validation images at model size, rounded to whole levels as PNG keeps them."""
    records = manifest.load_role(DATA, "val").records[:GOLDEN]
    return {
        f"image{i}": np.clip(np.round(resize(read_rgb(r.image), height, width)), 0, 255).astype(
            np.uint8
        )
        for i, r in enumerate(records)
    }


def lineage(config: Config, header: dict[str, Any]) -> dict[str, Any]:
    """Checkpoint, teachers, labels, data and calibration by content hash."""
    teachers = config.student.teachers
    return {
        "student": {
            "checkpoint": provenance.lineage({"best": Path(config.student.final) / MODEL}),
            "header": header,
        },
        "teachers": provenance.lineage({n: TEACHERS / n / MODEL for n in teachers}),
        "labels": provenance.lineage({n: LABELS / n / "labels.json" for n in teachers}),
        "data": manifest.roles(DATA),
        "calibration": {k: v for k, v in read_json(CALIBRATION).items() if k != "ids"},
        "torch_metrics": read_json(METRICS),
    }


if __name__ == "__main__":
    main()
