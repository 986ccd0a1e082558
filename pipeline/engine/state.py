"""Where a run stands, in one file that is replaced atomically.

Only the first of several processes has the file; the others get what it holds from there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.engine.distributed import Group
from pipeline.errors import UserError
from pipeline.files import atomic_path

FILE = "state.pt"
Weights = dict[str, Tensor]


@dataclass
class State:
    """Where a run stands."""

    epoch: int = 0
    step: int = 0
    rows: int = 0
    best: float = math.nan
    best_epoch: int = -1
    best_weights: Weights | None = None


def save(folder: Path, state: State, trainable: dict[str, Any], processes: int) -> None:
    """Replace the state in `folder`, made by as many processes."""
    content = {"state": vars(state), "trainable": trainable, "processes": processes}
    with atomic_path(folder / FILE) as temporary, temporary.open("wb") as stream:
        try:
            torch.save(content, stream)
        except RuntimeError as error:
            # torch goes on after a failed write, and then complains of its own positions.
            raise error.__context__ if isinstance(error.__context__, OSError) else error from None


def resume(folder: Path, trainable: Any, group: Group) -> State:
    """Put the state of `folder` into `trainable`, in every process; a new one if there is none.

    Raises `UserError` for a damaged file, and for the state of another number of processes: what
    they see of a batch, and the order they add in, would silently make another model.
    """
    path = folder / FILE
    found, trouble = None, None
    if group.first and path.exists():
        try:
            found = torch.load(path, map_location="cpu", weights_only=True)
            begun = found["processes"]
            if begun != group.world:
                trouble = (
                    f"{folder} was begun with {begun} processes and cannot go on with "
                    f"{group.world}: the model would be another. Run with {begun} "
                    f"(machine.processes={begun}), or remove that folder to begin anew"
                )
        except Exception as error:  # unpickling raises whatever damaged bytes lead it into
            trouble = _damaged(path, error)
    found, trouble = group.share((found, trouble))
    if trouble:
        raise UserError(trouble)
    if found is None:
        return State()
    try:
        trainable.load_state_dict(found["trainable"])
        return State(**found["state"])
    except Exception as error:
        raise UserError(_damaged(path, error)) from error


def _damaged(path: Path, error: Exception) -> str:
    return (
        f"{path} is damaged ({type(error).__name__}); remove {path.parent} to begin this phase anew"
    )
