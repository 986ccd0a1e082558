"""Names in a configuration that only models and recipes themselves can vouch for."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pipeline.config import Config
from pipeline.config.check import one_of
from pipeline.errors import UserError

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
    check_recipes(config)


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
