"""List the images of every role, and choose those that calibrate quantisation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline import tasks
from pipeline.config import Config
from pipeline.config.schema import Role
from pipeline.data import classes, manifest
from pipeline.data.editions import meant
from pipeline.data.manifest import Listed, Source
from pipeline.data.resize import NAME
from pipeline.data.threads import in_threads
from pipeline.engine.progress import Meter
from pipeline.errors import UserError
from pipeline.files import write_json
from pipeline.paths import CALIBRATION, DATA
from pipeline.stages.entry import stage
from pipeline.stages.names import check_calibration, check_names
from pipeline.weights import weights_hash

SHOWN = 3
"""Remarks printed for each role."""


@stage
def main(config: Config) -> None:
    """Write outputs/data (manifest, a list per role, hashes of weights) and calibration.json.

    Calibration lies apart, so that choosing other images for it trains nothing again.
    """
    check_names(config)
    check_calibration(config)
    roles = {"train": config.data.train, "pool": config.data.pool, "val": config.data.val}
    sources = {
        name: source(role, config.data.classes) for name, role in roles.items() if role is not None
    }
    # Weights lie outside the workspace; their hashes here make later stages depend on them.
    names = [config.student.weights, *used_by_teachers(config)]
    hashes = {name: weights_hash(name) for name in sorted(set(names))}
    with Meter("prepare", 0, "images") as meter:
        listed = manifest.collect(sources, meter)
    require_annotated(listed["val"], tasks.get(config.student.task).needs)
    chosen = manifest.calibration(listed["train"].rows, config.data.calibration, config.seed, NAME)
    manifest.save(DATA, sources, listed)
    write_json(CALIBRATION, chosen)
    write_json(DATA / "weights.json", hashes)
    for name, found in listed.items():
        for line in found.remarks[:SHOWN]:
            print(f"{name}: {line}")
        if len(found.remarks) > SHOWN:
            print(
                f"{name}: {len(found.remarks) - SHOWN} more such files; fovea data check lists them"
            )
    if config.data.classes is not None:
        count_classes(config.data.classes, list(sources))
    counts = {name: entry["count"] for name, entry in manifest.roles(DATA).items()}
    print("images: " + ", ".join(f"{count} {name}" for name, count in counts.items()))


def count_classes(name: str, roles: Sequence[str]) -> None:
    """Write outputs/data/classes.json: the list, and the pixels of each class in every role."""
    known = classes.get(name)
    pixels = {}
    for role in roles:
        marks = [r.labels for r in manifest.load_role(DATA, role).records if r.labels is not None]
        total = np.zeros(len(known), np.int64)
        for found in in_threads(known.indices, marks):
            total += np.bincount(found.ravel(), minlength=256)[: len(known)]
        absent = [c for c, number in zip(known.classes, total, strict=True) if not number]
        if absent and marks:
            print(f"{role}: no pixel of {', '.join(absent)}")
        pixels[role] = dict(zip(known.classes, total.tolist(), strict=True))
    content = {"name": name, "classes": list(known.classes), "pixels": pixels}
    write_json(DATA / "classes.json", content)


def used_by_teachers(config: Config) -> list[str]:
    """Names of the weights that teachers load."""
    each = config.student.teachers.values()
    return [name for t in each for name in (t.weights, t.init, t.backbone)]


WORDS = {"map": "density map or mask", "fixations": "fixations", "labels": "label image"}
"""What a record's parts are called."""


def require_annotated(val: Listed, needs: Sequence[str]) -> None:
    """Raise `UserError` unless every validation image can be measured on."""
    for row in val.rows:
        for part in needs:
            if part not in row.files and not (part == "map" and row.blur is not None):
                raise UserError(
                    f"data.val: {row.files['image']} has no {WORDS[part]}, which measuring needs; "
                    "choose another data.val"
                )


def source(role: Role, classes: str | None = None) -> Source:
    """A role's configuration as the data layer takes it."""
    edition = meant(role.layout, role.root, role.edition)
    return Source(role.layout, role.root, role.split, role.limit, edition, classes)


if __name__ == "__main__":
    main()
