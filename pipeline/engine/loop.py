"""One loop for every phase: steps, validation, best and last weights, exact resume.

The loop drives anything that is `Trainable`; which network, loss or number of optimisers that
hides is not its business. Everything it needs to go on lies in one state file that is replaced
atomically, so a kill at any moment loses at most `SECONDS_BETWEEN_SAVES` of work and a resumed run
repeats the lost steps bit for bit (on one device type).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from pipeline.engine.device import seed_step
from pipeline.engine.history import History, Row
from pipeline.engine.progress import Meter
from pipeline.errors import UserError
from pipeline.files import atomic_path

SECONDS_BETWEEN_SAVES = 20.0
STATE = "state.pt"
Batch = dict[str, Any]
Weights = dict[str, Tensor]


class Trainable(Protocol):
    """What the loop drives."""

    def step(self, batch: Batch, progress: float) -> dict[str, float]:
        """Learn from one batch at fractional epoch `progress`; returns `loss` and named terms.

        Raises `FloatingPointError` before changing any weight if a term is not finite.
        """

    def weights(self) -> Weights:
        """What is kept as best and last: the shippable weights, detached, on the CPU."""

    def load_weights(self, weights: Weights) -> None:
        """Put `weights` back (schedules that return to the best epoch)."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that further steps depend on."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up where `state_dict` was taken."""


class Batches(Protocol):
    """Where batches come from: a pure function of (epoch, first step)."""

    @property
    def images(self) -> int:
        """Images in one epoch."""

    def __len__(self) -> int:
        """Steps in one epoch."""

    def epoch(self, epoch: int, first_step: int) -> Iterable[Batch]:
        """Batches of `epoch` from `first_step` on; each has `ids`."""


@dataclass(frozen=True)
class Plan:
    """What the loop is asked to do."""

    phase: str
    epochs: int
    seed: int
    select: str
    """Key of the validation result that decides which epoch is best."""
    larger_is_better: bool
    reload_best_after: tuple[int, ...] = ()
    """Epochs at whose end the best weights are put back."""
    title: str = ""
    """What progress calls it, if not by its phase."""


@dataclass
class State:
    """Where a run stands."""

    epoch: int = 0
    step: int = 0
    rows: int = 0
    best: float = math.nan
    best_epoch: int = -1
    best_weights: Weights | None = None


@dataclass(frozen=True)
class Result:
    """What a finished run leaves."""

    best: Weights
    last: Weights
    best_epoch: int
    best_value: float
    history: list[Row]


def train(
    trainable: Trainable,
    batches: Batches,
    validate: Callable[[], dict[str, float]],
    plan: Plan,
    folder: Path,
) -> Result:
    """Run `plan`, going on from whatever `folder` holds of it.

    Raises `UserError` when a loss is not finite, naming the phase, the step and the images.
    """
    state = _resume(trainable, folder)
    history = History(folder / "history.jsonl", state.rows)
    total = plan.epochs * batches.images
    done = state.epoch * batches.images + state.step * batches.images // max(1, len(batches))
    with Meter(plan.title or plan.phase, total, "images", done) as meter:
        while state.epoch < plan.epochs:
            _run_epoch(trainable, batches, plan, folder, state, history, meter)
            _close_epoch(trainable, validate, plan, state, history, meter)
            _save(trainable, state, history, folder)
    assert state.best_weights is not None
    _leave_generator(plan, batches)
    return Result(
        state.best_weights, trainable.weights(), state.best_epoch, state.best, history.rows
    )


def _run_epoch(
    trainable: Trainable,
    batches: Batches,
    plan: Plan,
    folder: Path,
    state: State,
    history: History,
    meter: Meter,
) -> None:
    saved = time.monotonic()
    for batch in batches.epoch(state.epoch, state.step):
        seed_step(plan.seed, state.epoch, state.step)
        progress = state.epoch + state.step / len(batches)
        try:
            terms = trainable.step(batch, progress)
        except FloatingPointError as error:
            raise UserError(_not_finite(plan, state, batch, error, folder)) from error
        row = {"kind": "step", "phase": plan.phase, "epoch": state.epoch, "step": state.step}
        history.add(row | terms)
        state.step += 1
        meter(len(batch["ids"]), f"epoch {state.epoch + 1}/{plan.epochs} loss {terms['loss']:.4f}")
        if time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
            _save(trainable, state, history, folder)
            saved = time.monotonic()


def _close_epoch(
    trainable: Trainable,
    validate: Callable[[], dict[str, float]],
    plan: Plan,
    state: State,
    history: History,
    meter: Meter,
) -> None:
    values = validate()
    losses = [r["loss"] for r in history.rows if r["kind"] == "step" and r["epoch"] == state.epoch]
    mean = sum(losses) / max(1, len(losses))
    shown = {f"val_{name}": value for name, value in values.items()}
    row = {"kind": "epoch", "phase": plan.phase, "epoch": state.epoch, "loss": mean}
    history.add(row | shown)
    meter(0, " ".join(f"{k} {v:.4f}" for k, v in shown.items()))
    value = values[plan.select]
    better = value > state.best if plan.larger_is_better else value < state.best
    if better or state.best_weights is None:
        state.best, state.best_epoch = value, state.epoch
        state.best_weights = trainable.weights()
    if state.epoch in plan.reload_best_after:
        trainable.load_weights(state.best_weights)
    state.epoch, state.step = state.epoch + 1, 0


def _leave_generator(plan: Plan, batches: Batches) -> None:
    """Put torch's generator where an undisturbed run leaves it.

    The next phase draws its first weights from it, and must not see that this one was resumed.
    """
    seed_step(plan.seed, plan.epochs - 1, len(batches) - 1)
    torch.empty((), dtype=torch.int64).random_()  # as the loader of the last validation does


def _not_finite(
    plan: Plan, state: State, batch: Batch, error: FloatingPointError, folder: Path
) -> str:
    return (
        f"{plan.phase}: {error} at epoch {state.epoch}, step {state.step}, "
        f"images {', '.join(batch['ids'])}. Look at these images and their labels, or lower the "
        f"learning rate; the state before this step is kept in {folder}"
    )


def _save(trainable: Trainable, state: State, history: History, folder: Path) -> None:
    state.rows = len(history.rows)
    content = {"state": vars(state), "trainable": trainable.state_dict()}
    with atomic_path(folder / STATE) as temporary, temporary.open("wb") as stream:
        try:
            torch.save(content, stream)
        except RuntimeError as error:
            # torch goes on after a failed write, and then complains of its own positions.
            raise error.__context__ if isinstance(error.__context__, OSError) else error from None


def _resume(trainable: Trainable, folder: Path) -> State:
    path = folder / STATE
    if not path.exists():
        return State()
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        trainable.load_state_dict(content["trainable"])
        return State(**content["state"])
    except Exception as error:  # unpickling raises whatever damaged bytes lead it into
        raise UserError(
            f"{path} is damaged ({type(error).__name__}); remove {folder} to begin this phase anew"
        ) from error
