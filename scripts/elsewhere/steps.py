"""Which stages a run elsewhere consists of, in which order, and what they need made beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import Config
from pipeline.config.check import NOTHING, one_of
from pipeline.errors import UserError
from pipeline.paths import LABELS, TEACHERS, TRAIN

KEYED = {"teacher": TEACHERS, "label": LABELS, "train": TRAIN}
"""Stages that run once per teacher or phase, and the folder their outputs lie in."""


@dataclass(frozen=True)
class Step:
    """One stage, under the name DVC gives it."""

    stage: str
    key: str = ""

    @property
    def name(self) -> str:
        """`train@hint`, `prepare`."""
        return f"{self.stage}@{self.key}" if self.key else self.stage

    @property
    def folder(self) -> Path | None:
        """Where a keyed stage leaves its results."""
        return KEYED[self.stage] / self.key if self.key else None


def all_steps(config: Config) -> list[Step]:
    """Everything up to the trained student, in the configuration's order."""
    student = config.student
    return [
        Step("prepare"),
        *(Step("teacher", name) for name in student.teachers),
        *(Step("label", name) for name in student.teachers),
        *(Step("train", name) for name in student.phases),
    ]


def chosen(names: Sequence[str], config: Config) -> list[Step]:
    """The steps called `names`, all of `all_steps` when there are none.

    `prepare` always comes first: packed images are listed anew where they are used. The others
    run in the order of the pipeline. Raises `UserError` for a stage or key that does not exist.
    """
    everything = all_steps(config)
    if not names:
        return everything
    wanted = {"prepare"}
    for name in names:
        one_of("--stages", name, [step.name for step in everything])
        wanted.add(name)
    return [step for step in everything if step.name in wanted]


def needed(steps: Sequence[Step], config: Config, workspace: Path = Path()) -> list[Path]:
    """Output folders that `steps` read and do not make themselves, relative to `workspace`.

    Raises `UserError` for one that has not been made here either.
    """
    made = {step.folder for step in steps}
    missing = [folder for step in steps for folder in _inputs(step, config) if folder not in made]
    folders = sorted(set(missing))
    for folder in folders:
        if not (workspace / folder).is_dir():
            step = Step(_stage_of(folder), folder.name).name
            raise UserError(
                f"the stages chosen need {folder}, which is not there; add {step} to --stages, "
                f"or make it here first: dvc repro {step}"
            )
    return folders


def _inputs(step: Step, config: Config) -> list[Path]:
    student = config.student
    if step.stage == "label":
        return [TEACHERS / step.key]
    if step.stage == "train":
        phase = student.phases[step.key]
        return [Path(p) for p in (phase.init, phase.teacher, phase.labels) if p != NOTHING]
    return []


def _stage_of(folder: Path) -> str:
    return next(stage for stage, parent in KEYED.items() if folder.parent == parent)
