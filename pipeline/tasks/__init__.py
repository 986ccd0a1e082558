"""Tasks by name: what a student of the task learns from and is measured by."""

from __future__ import annotations

import dataclasses

from pipeline.config.schema import Student
from pipeline.tasks.classification import ClassificationTask
from pipeline.tasks.objects import SalientObjectTask
from pipeline.tasks.readout import MEANINGS
from pipeline.tasks.saliency import SaliencyTask
from pipeline.tasks.semantic import SemanticTask
from pipeline.tasks.task import DenseTask

_TASKS: dict[str, DenseTask] = {
    task.name: task
    for task in (SaliencyTask(), SalientObjectTask(), SemanticTask(), ClassificationTask())
}


def get(name: str) -> DenseTask:
    """The task called `name`; configurations are checked for it before. Raises `KeyError`."""
    return _TASKS[name]


def of(student: Student) -> DenseTask:
    """The task of a student, its output read as its configuration says."""
    return dataclasses.replace(get(student.task), output=MEANINGS[student.readout])
