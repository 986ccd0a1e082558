"""Names in a configuration that only models and recipes themselves can vouch for."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.config import Config
from pipeline.config.check import one_of
from pipeline.config.schema import Student
from pipeline.errors import UserError

if TYPE_CHECKING:
    from students.registry import ModelSpec

FEWEST = 4
"""Calibration images: ranges of activations that fewer show are those of single pictures."""


def check_names(config: Config) -> None:
    """Refuse names that no layout, model or recipe has, before the first stage that needs them.

    Raises `UserError` with the nearest name.
    """
    import students
    import teachers
    from pipeline.data import layouts
    from pipeline.data.editions import require_known

    for name, role in vars(config.data).items():
        if hasattr(role, "layout"):
            one_of(f"data.{name}.layout", role.layout, layouts.names())
            layouts.parts(role.split)
            require_known(role.layout, role.edition)
    experts = [*teachers.names(), *students.names()]  # any trained student can teach
    one_of("student.name", config.student.name, students.names())
    check_size(config.student.name, config.student.input_size)
    for name, teacher in config.student.teachers.items():
        one_of(f"student.teachers.{name}.model", teacher.model, experts)
        check_teaching(name, config.student.task, teacher.model)
    check_recipes(config)


def sized(student: Student) -> ModelSpec:
    """The student's spec at the size it is trained for."""
    import students

    spec = students.spec(student.name)
    if not student.input_size:
        return spec
    height, width = student.input_size
    return dataclasses.replace(spec, height=height, width=width)


def check_teaching(name: str, task: str, model: str) -> None:
    """Raise `UserError` for a teacher of another task than the student's."""
    import students
    import teachers

    known = students if model in students.names() else teachers
    found = known.spec(model).task
    if found != task:
        raise UserError(
            f"student.teachers.{name}: {model} is a {found} model and cannot teach {task}; choose "
            "another teacher, or teacher=none"
        )


def check_size(name: str, size: Sequence[int]) -> None:
    """Raise `UserError` for an input size that a student cannot take."""
    import students
    from students.layers import nearest

    spec = students.spec(name)
    near = [nearest(side, spec.multiple_of, spec.least) for side in size]
    if near != list(size):
        bound = f" of at least {spec.least}" if spec.least > 1 else ""
        raise UserError(
            f"student.input_size is {list(size)}, but {name} takes multiples of "
            f"{spec.multiple_of}{bound}; nearest: {near}"
        )


def check_recipes(config: Config) -> None:
    """`check_names` of the recipes alone, which takes no import of torch."""
    from mobile import recipes

    known = recipes.names()
    for name in config.export.recipes:
        one_of("export.recipes", name, known)


def check_calibration(config: Config) -> None:
    """Raise `UserError` when a recipe is calibrated on too few images to say anything."""
    from mobile import recipes

    calibrated = [name for name in config.export.recipes if recipes.get(name).calibrated]
    if calibrated and config.data.calibration < FEWEST:
        raise UserError(
            f"data.calibration is {config.data.calibration}, but {', '.join(calibrated)} needs at "
            f"least {FEWEST} images, better some dozens"
        )


def check_here(config: Config) -> None:
    """As much as this process can check at once: models only where torch is loaded anyway."""
    if "torch" in sys.modules:
        check_names(config)
    else:
        check_recipes(config)
