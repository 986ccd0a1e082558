"""predict.json in an output folder: which model made the results, and which are still good."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fovea.predict.model import Model
from fovea.predict.work import Job, Wanted
from pipeline.errors import UserError
from pipeline.files import read_json, write_json

NAME = "predict.json"


def keep(out: Path, model: Model, wanted: Wanted, *, fast: bool, resume: bool) -> None:
    """Write the record of this run.

    Raises `UserError` when `resume` is asked for in a folder that another model or other settings
    filled: a mix of two looks like one.
    """
    content: dict[str, Any] = {
        "model": model.title,
        "sha256": model.sha256,
        "longest": wanted.longest,
        "depth": wanted.depth,
        "fast": fast,
    }
    if model.classes:
        content["classes"] = list(model.classes)
    path = out / NAME
    if resume and path.is_file():
        before = read_json(path)
        known = before if isinstance(before, dict) else {}
        other = [
            f"{key} was {str(known.get(key))[:20]}"
            for key, value in content.items()
            if known.get(key) != value
        ]
        if other:
            raise UserError(
                f"{path}: results there were made differently ({', '.join(other)}); "
                "use another -o folder, or leave --resume out to make all of them anew"
            )
    write_json(path, content)


def is_done(job: Job, photo: Path, wanted: Wanted) -> bool:
    """Whether every result of `photo` is there and not older than it."""
    changed = photo.stat().st_mtime
    files = job.files(wanted)
    return all(file.is_file() and file.stat().st_mtime >= changed for file in files)
