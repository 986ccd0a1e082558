"""List the images of every role, and choose those that calibrate quantisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline import tasks
from pipeline.config import Config
from pipeline.config.schema import Role, Student
from pipeline.data import class_names, classes, image_classes, layouts, manifest, roots
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
    named = image_names(sources)
    if "target" in tasks.get(config.student.task).needs and named:
        require_number(named, config.student)
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
    if config.data.classes in class_names.COUNTS:
        count_classes(config.data.classes, list(sources))
    if named:
        count_images(config.data.classes, named, {n: found.rows for n, found in listed.items()})
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


def image_names(sources: Mapping[str, Source]) -> tuple[str, ...]:
    """Names of the classes that whole images have, the same in every role; none where none have.

    Raises `UserError` when roles differ in them.
    """
    found = {}
    for name, role in sources.items():
        known = layouts.get(role.layout).classes
        if known is not None:
            found[name] = known(roots.resolve(role.root))
    return image_classes.require_equal(found) if found else ()


def require_number(names: Sequence[str], student: Student) -> None:
    """Raise `UserError` unless the student learns as many classes as there are."""
    given = student.overrides.get("classes")
    if given != len(names):
        raise UserError(
            f"data.train has {len(names)} classes ({', '.join(names[:3])} …), but "
            f"student.overrides.classes is {given}; for a set of your own, set data.classes=null "
            f"and student.overrides.classes={len(names)}"
        )


def count_images(
    name: str | None, names: Sequence[str], roles: Mapping[str, Sequence[manifest.Row]]
) -> None:
    """Write outputs/data/classes.json: the list, and the images of each class in every role."""
    images = {}
    for role, rows in roles.items():
        marked = [row.target for row in rows if row.target is not None]
        if not marked:
            continue
        images[role] = np.bincount(np.array(marked, np.int64), minlength=len(names)).tolist()
        absent = [title for title, number in zip(names, images[role], strict=True) if not number]
        if absent:
            print(f"{role}: no image of {', '.join(absent[:SHOWN])}, {len(absent)} classes in all")
    write_json(DATA / "classes.json", {"name": name, "classes": list(names), "images": images})


def used_by_teachers(config: Config) -> list[str]:
    """Names of the weights that teachers load."""
    each = config.student.teachers.values()
    return [name for t in each for name in (t.weights, t.init, t.backbone)]


WORDS = {
    "map": "density map or mask",
    "fixations": "fixations",
    "labels": "label image",
    "target": "class",
}
"""What a record's parts are called."""


def require_annotated(val: Listed, needs: Sequence[str]) -> None:
    """Raise `UserError` unless every validation image can be measured on."""
    for row in val.rows:
        for part in needs:
            if part not in row.files and part not in without_files(row):
                raise UserError(
                    f"data.val: {row.files['image']} has no {WORDS[part]}, which measuring needs; "
                    "choose another data.val"
                )


def without_files(row: manifest.Row) -> set[str]:
    """What is known of an image without a file of its own."""
    made = {"map": row.blur is not None, "target": row.target is not None}
    return {part for part, known in made.items() if known}


def source(role: Role, classes: str | None = None) -> Source:
    """A role's configuration as the data layer takes it."""
    edition = meant(role.layout, role.root, role.edition)
    return Source(role.layout, role.root, role.split, role.limit, edition, classes)


if __name__ == "__main__":
    main()
