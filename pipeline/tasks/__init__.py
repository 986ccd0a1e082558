"""Tasks by name: what a student of the task learns from and is measured by."""

from __future__ import annotations

from pipeline.tasks.saliency import SaliencyTask

_TASKS = {task.name: task for task in (SaliencyTask(),)}


def get(name: str) -> SaliencyTask:
    """The task called `name`; configurations are checked for it before. Raises `KeyError`."""
    return _TASKS[name]
