"""Tasks by name: what a student of the task learns from and is measured by."""

from __future__ import annotations

from pipeline.tasks.saliency import SaliencyTask

_TASKS = {task.name: task for task in (SaliencyTask(),)}


def get(name: str) -> SaliencyTask:
    """The task called `name`. Raises `KeyError` when unknown; the configuration is checked first."""
    return _TASKS[name]
