"""From studies and seeds to runs: complete overrides, at equal numbers of gradient steps.

The budget of every row is the steps through the student of the whole protocol, hint pretraining
included. Rows without hints, or with fewer images per epoch, fine-tune for more epochs; drops of
the learning rate keep their place in the phase.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from benchmarks.ablation.studies import FULL, Row, Study
from pipeline.config.load import compose_raw, typed
from pipeline.config.schema import Config
from pipeline.data import roots
from pipeline.errors import UserError
from pipeline.files import sha256_json

CONF = Path(__file__).resolve().parents[2] / "conf"
FINETUNE = "finetune"
OURS = ("seed", f"student.phases.{FINETUNE}.epochs")
"""What a run sets by itself."""
OF_A_TEACHER = "student.teachers."


@dataclass(frozen=True)
class Run:
    """One row with one seed, ready to be trained and measured."""

    study: str
    row: Row
    seed: int
    given: tuple[str, ...]
    """The user's own overrides."""
    overrides: tuple[str, ...]
    """All that it trains with."""
    epochs: Mapping[str, int]
    steps: int
    """Gradient steps through the student, all phases together."""
    config: str
    """Hash of everything configured that decides its result."""

    @property
    def measured(self) -> tuple[str, ...]:
        """All that it is evaluated with."""
        return (*self.overrides, *self.row.measured)

    @property
    def name(self) -> str:
        """Of its DVC experiment: no two runs of different settings share it."""
        return f"{self.study}-{self.row.key}-{self.config[:6]}-seed{self.seed}"


@dataclass(frozen=True)
class Composed:
    """A configuration as a checked object and as the plain tree it came from."""

    config: Config
    tree: dict[str, Any]

    @property
    def student(self) -> dict[str, Any]:
        """All that decides a training, besides data and seed; not how it is read out."""
        return {k: v for k, v in self.tree["student"].items() if k != "readout"}


def composed(overrides: Sequence[str]) -> Composed:
    """conf/ with `overrides`; `UserError` for what does not compose."""
    seeds = [int(o.partition("=")[2]) for o in overrides if _key(o) == "seed"]
    made = _composed(tuple(o for o in overrides if _key(o) != "seed"))
    for seed in seeds:  # apart, as composing takes long and seeds change nothing else
        made = Composed(replace(made.config, seed=seed), made.tree | {"seed": seed})
    return made


@functools.cache
def _composed(overrides: tuple[str, ...]) -> Composed:
    raw = compose_raw(list(overrides), CONF)
    tree = OmegaConf.to_container(raw)
    assert isinstance(tree, dict)
    return Composed(typed(raw, "conf/"), {str(key): value for key, value in tree.items()})


def merged(*layers: Sequence[str]) -> tuple[str, ...]:
    """Overrides of all layers; of two for one key the later wins, in the first one's place."""
    found: dict[str, str] = {}
    for override in (each for layer in layers for each in layer):
        found[_key(override)] = override
    return tuple(found.values())


def refuse_own(given: Sequence[str], rows: Sequence[Row]) -> None:
    """Raise `UserError` where a user's override is what the runner or the rows decide."""
    varied = {_key(o) for row in rows for o in (*row.overrides, *row.measured)}
    for override in given:
        key = _key(override)
        if key == "seed":
            raise UserError(f"{override}: seeds are given by --seeds")
        if key in OURS:
            raise UserError(f"{override}: set by equal budgets; use -S profile.finetune_epochs=…")
        if key in varied:
            raise UserError(f"{override}: {key} is what the rows of this study differ in")


def overrides_of(study: Study, row: Row, given: Sequence[str], seed: int) -> tuple[str, ...]:
    """Everything a row trains with but its epochs.

    What is said of a teacher goes to the rows that have it, and to no other.
    """
    general = [o for o in given if not _key(o).startswith(OF_A_TEACHER)]
    bare = merged(study.base, general, row.overrides, [f"seed={seed}"])
    if len(general) == len(given):
        return bare
    taught_by = composed(bare).config.student.teachers
    special = [o for o in given if o not in general and _key(o).split(".")[2] in taught_by]
    return merged(bare, special)


def plan(study: Study, row: Row, given: Sequence[str], seed: int, counts: Mapping[str, int]) -> Run:
    """The run of a row with `counts` of images by role, as in a manifest."""
    before = overrides_of(study, row, given, seed)
    config = composed(before).config
    if FINETUNE not in config.student.phases:
        raise UserError(f"{study.name}, {row.key}: no phase called {FINETUNE} to set epochs of")
    phase = config.student.phases[FINETUNE]
    each = per_epoch(config, FINETUNE, counts)
    others = steps(config, counts) - phase.epochs * each
    epochs = max(1, round((budget(given, counts) - others) / each))
    key = f"student.phases.{FINETUNE}"
    extra = [f"{key}.epochs={epochs}"]
    if phase.schedule.milestones and epochs != phase.epochs:
        moved = [round(m * epochs / phase.epochs) for m in phase.schedule.milestones]
        extra.append(f"{key}.schedule.milestones={moved}".replace(" ", ""))
    overrides = merged(before, extra)
    trained, measured = composed(overrides), composed(merged(overrides, row.measured))
    return Run(
        study.name,
        row,
        seed,
        comparable(given),
        overrides,
        {name: p.epochs for name, p in trained.config.student.phases.items()},
        steps(trained.config, counts),
        sha256_json([measured.tree[key] for key in ("data", "sample", "student", "seed")]),
    )


def comparable(given: Sequence[str]) -> tuple[str, ...]:
    """What of a user's overrides tells results apart: not how the machine works."""
    return tuple(sorted(o for o in given if not _key(o).startswith("machine.")))


def budget(given: Sequence[str], counts: Mapping[str, int]) -> int:
    """Gradient steps of the whole protocol; they depend on no student and no teacher."""
    general = [o for o in given if not _key(o).startswith("student")]
    return steps(composed(merged(general, [FULL, "teacher=salgan"])).config, counts)


def steps(config: Config, counts: Mapping[str, int]) -> int:
    """Gradient steps of all phases."""
    phases = config.student.phases
    return sum(phase.epochs * per_epoch(config, name, counts) for name, phase in phases.items())


def per_epoch(config: Config, name: str, counts: Mapping[str, int]) -> int:
    """Gradient steps of one epoch of a phase; `UserError` where its images fill no batch."""
    phase = config.student.phases[name]
    images = counts["train"] + (counts.get("pool", 0) if phase.pool else 0)
    if images < phase.batch:
        raise UserError(f"{images} images do not fill a batch of {phase.batch} of phase {name}")
    return images // phase.batch


def missing(row: Row) -> str | None:
    """Why a row is left out on this machine, or None."""
    for name in row.needs:
        try:
            roots.resolve(name, "weights")
        except UserError:
            return f"no weights called {name}; fovea weights add {name} FILE"
    return None


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0]
