"""What types cannot say about a configuration: names that exist, values that fit together."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from pipeline.config.schema import Config, Data, Phase, Student, Teacher
from pipeline.errors import UserError

OBJECTIVES = ("hint", "saliency")
TASKS = ("saliency",)
OPTIMISERS = ("sgd", "adamw")
TEACHER_OPTIMISERS = ("sgd", "nesterov", "adam", "adagrad")
SCHEDULES = ("steps", "cosine")
NOTHING = "outputs/data"
"""Dependency of a phase that needs nothing more than the images."""


def check(config: Config) -> None:
    """Raise `UserError` for the first value that cannot work, with the nearest one that can."""
    _check_data(config)
    _check_student(config.student)
    if config.latency.threads < 1:
        raise UserError(f"latency.threads is {config.latency.threads}; use at least 1")
    one_of("machine.device", config.machine.device, ("auto", "cpu", "cuda"))
    one_of("machine.precision", config.machine.precision, ("fp32", "bf16"))


def one_of(key: str, value: str, known: Collection[str]) -> None:
    """Raise `UserError` with the nearest of `known` unless `value` is one of them."""
    if value in known:
        return
    near = difflib.get_close_matches(value, known, n=1, cutoff=0.0)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise UserError(f"{key}={value!r} is not known{hint} Choices: {', '.join(sorted(known))}")


def _check_data(config: Config) -> None:
    data: Data = config.data
    if data.real and config.profile.name == "sample" and not config.profile.force:
        raise UserError(
            f"data={data.name} is real, but profile=sample is thinned for generated scenes; "
            "use -S profile=small or -S profile=paper, or -S profile.force=true"
        )
    if data.calibration < 1:
        raise UserError(f"data.calibration is {data.calibration}; int8 needs at least 1 image")
    if (data.train.root, data.train.split) == (data.val.root, data.val.split):
        raise UserError(f"data.train and data.val are both {data.val.root}:{data.val.split}")


def _check_student(student: Student) -> None:
    one_of("student.task", student.task, TASKS)
    if not student.phases:
        raise UserError("student.phases is empty; choose one, such as -S phases=distilled")
    finals = {f"outputs/train/{name}" for name in student.phases}
    one_of("student.final", student.final, finals)
    for name, teacher in student.teachers.items():
        _check_teacher(name, teacher)
    made = {NOTHING}
    for name, phase in student.phases.items():
        _check_phase(f"student.phases.{name}", phase, student, made)
        made.add(f"outputs/train/{name}")


def _check_teacher(name: str, teacher: Teacher) -> None:
    for phase_name, phase in teacher.phases.items():
        key = f"student.teachers.{name}.phases.{phase_name}"
        one_of(f"{key}.optimiser", phase.optimiser, TEACHER_OPTIMISERS)
        _positive(f"{key}.batch", phase.batch)
    _positive(f"student.teachers.{name}.shard", teacher.shard)


def _check_phase(key: str, phase: Phase, student: Student, made: Collection[str]) -> None:
    one_of(f"{key}.objective", phase.objective, OBJECTIVES)
    one_of(f"{key}.init", phase.init, made)
    one_of(f"{key}.take", phase.take, ("all", "backbone"))
    one_of(f"{key}.hint_scale", phase.hint_scale, ("paper", "unit"))
    one_of(f"{key}.optimiser.kind", phase.optimiser.kind, OPTIMISERS)
    one_of(f"{key}.schedule.kind", phase.schedule.kind, SCHEDULES)
    teachers = {f"outputs/teachers/{name}" for name in student.teachers}
    labels = {f"outputs/labels/{name}" for name in student.teachers}
    one_of(f"{key}.teacher", phase.teacher, teachers | {NOTHING})
    one_of(f"{key}.labels", phase.labels, labels | {NOTHING})
    _positive(f"{key}.batch", phase.batch)
    _positive(f"{key}.epochs", phase.epochs)
    if phase.objective == "hint" and phase.teacher == NOTHING:
        raise UserError(f"{key}: hints need a teacher; set {key}.teacher=outputs/teachers/NAME")
    if phase.objective == "saliency":
        _check_terms(key, phase)


def _check_terms(key: str, phase: Phase) -> None:
    if phase.teacher_weight <= 0 and phase.truth_weight <= 0:
        raise UserError(f"{key}: teacher_weight and truth_weight are both 0: nothing to learn")
    if phase.teacher_weight > 0 and phase.labels == NOTHING:
        raise UserError(f"{key}: teacher_weight needs labels; set {key}.labels or the weight to 0")


def _positive(key: str, value: int) -> None:
    if value < 1:
        raise UserError(f"{key} is {value}; use at least 1")
