"""Tasks by name: what a student of the task learns from and is measured by."""

from __future__ import annotations

import dataclasses

from pipeline.config.schema import Student
from pipeline.tasks.readout import MEANINGS
from pipeline.tasks.saliency import SaliencyTask

_TASKS = {task.name: task for task in (SaliencyTask(),)}


def get(name: str) -> SaliencyTask:
    """The task called `name`; configurations are checked for it before. Raises `KeyError`."""
    return _TASKS[name]


def of(student: Student) -> SaliencyTask:
    """The task of a student, its output read as its configuration says."""
    return dataclasses.replace(get(student.task), output=MEANINGS[student.readout])
