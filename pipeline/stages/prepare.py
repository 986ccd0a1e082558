"""List the images of every role, and choose those that calibrate quantisation."""

from __future__ import annotations

import students
import teachers
from pipeline.config import Config
from pipeline.config.check import one_of
from pipeline.config.schema import Role
from pipeline.data import layouts, manifest
from pipeline.data.manifest import Source
from pipeline.data.resize import NAME
from pipeline.engine.progress import Meter
from pipeline.files import write_json
from pipeline.paths import CALIBRATION, DATA
from pipeline.stages.entry import stage
from pipeline.weights import weights_hash


@stage
def main(config: Config) -> None:
    """Write outputs/data (manifest, a list per role, hashes of weights) and calibration.json.

    Calibration lies apart, so that choosing other images for it trains nothing again.
    """
    check_names(config)
    roles = {"train": config.data.train, "pool": config.data.pool, "val": config.data.val}
    sources = {name: source(role) for name, role in roles.items() if role is not None}
    with Meter("prepare", 0, "images") as meter:
        manifest.write(DATA, sources, meter)
    rows = manifest.read_rows(DATA, "train")
    chosen = manifest.calibration(rows, config.data.calibration, config.seed, NAME)
    write_json(CALIBRATION, chosen)
    # Weights lie outside the workspace; their hashes here make later stages depend on them.
    names = [config.student.weights, *(t.weights for t in config.student.teachers.values())]
    write_json(DATA / "weights.json", {name: weights_hash(name) for name in sorted(set(names))})
    counts = {name: entry["count"] for name, entry in manifest.roles(DATA).items()}
    print("images: " + ", ".join(f"{count} {name}" for name, count in counts.items()))


def source(role: Role) -> Source:
    """A role's configuration as the data layer takes it."""
    one_of("data layout", role.layout, layouts.names())
    return Source(role.layout, role.root, role.split, role.limit)


def check_names(config: Config) -> None:
    """Refuse names that no model or recipe has, before the first stage that would need them."""
    from mobile import recipes

    experts = [*teachers.names(), *students.names()]  # any trained student can teach
    one_of("student.name", config.student.name, students.names())
    for name, teacher in config.student.teachers.items():
        one_of(f"student.teachers.{name}.model", teacher.model, experts)
    for recipe in config.export.recipes:
        one_of("export.recipes", recipe, recipes.names())


if __name__ == "__main__":
    main()
