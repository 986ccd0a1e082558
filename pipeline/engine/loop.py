"""One loop for every phase: steps, validation, best and last weights, exact resume.

The loop drives anything that is `Trainable`; which network, loss or number of optimisers that
hides is not its business. Everything it needs to go on lies in one state file that is replaced
atomically, so a kill at any moment loses at most `SECONDS_BETWEEN_SAVES` of work and a resumed run
repeats the lost steps bit for bit (on one device type).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from pipeline.engine.device import seed_step
from pipeline.engine.distributed import ALONE, Group
from pipeline.engine.history import History, Row
from pipeline.engine.progress import Meter
from pipeline.engine.state import State, Weights, resume, save
from pipeline.errors import UserError

SECONDS_BETWEEN_SAVES = 20.0
Batch = dict[str, Any]


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
    group: Group = ALONE,
) -> Result:
    """Run `plan`, going on from whatever `folder` holds of it.

    Of several processes in `group`, all step and one writes, validates and speaks. Raises
    `UserError` when a loss is not finite, naming the phase, the step and the images.
    """
    state = resume(folder, trainable, group)
    history = History(folder / "history.jsonl" if group.first else None, state.rows)
    total = plan.epochs * batches.images
    done = state.epoch * batches.images + state.step * batches.images // max(1, len(batches))
    title = plan.title or plan.phase
    with Meter(title, total, "images", done, quiet=not group.first) as meter:
        run = _Run(trainable, batches, validate, plan, folder, group, state, history, meter)
        while state.epoch < plan.epochs:
            run.epoch()
            run.close_epoch()
            run.save()
    assert state.best_weights is not None
    _leave_generator(plan, batches)
    return Result(
        state.best_weights, trainable.weights(), state.best_epoch, state.best, history.rows
    )


@dataclass(frozen=True)
class _Run:
    trainable: Trainable
    batches: Batches
    validate: Callable[[], dict[str, float]]
    plan: Plan
    folder: Path
    group: Group
    state: State
    history: History
    meter: Meter

    def epoch(self) -> None:
        saved = time.monotonic()
        plan, state = self.plan, self.state
        for batch in self.batches.epoch(state.epoch, state.step):
            seed_step(plan.seed, state.epoch, state.step)
            progress = state.epoch + state.step / len(self.batches)
            try:
                terms = self.trainable.step(batch, progress)
            except FloatingPointError as error:
                raise UserError(_not_finite(plan, state, batch, error, self.folder)) from error
            row = {"kind": "step", "phase": plan.phase, "epoch": state.epoch, "step": state.step}
            self.history.add(row | terms)
            state.step += 1
            note = f"epoch {state.epoch + 1}/{plan.epochs} loss {terms['loss']:.4f}"
            self.meter(len(batch["ids"]), note)
            if time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
                self.save()
                saved = time.monotonic()

    def close_epoch(self) -> None:
        plan, state, rows = self.plan, self.state, self.history.rows
        values = self.group.share(self.validate() if self.group.first else {})
        losses = [r["loss"] for r in rows if r["kind"] == "step" and r["epoch"] == state.epoch]
        mean = sum(losses) / max(1, len(losses))
        shown = {f"val_{name}": value for name, value in values.items()}
        row = {"kind": "epoch", "phase": plan.phase, "epoch": state.epoch, "loss": mean}
        self.history.add(row | shown)
        self.meter(0, " ".join(f"{k} {v:.4f}" for k, v in shown.items()))
        value = values[plan.select]
        better = value > state.best if plan.larger_is_better else value < state.best
        if better or state.best_weights is None:
            state.best, state.best_epoch = value, state.epoch
            state.best_weights = self.trainable.weights()
        if state.epoch in plan.reload_best_after:
            self.trainable.load_weights(state.best_weights)
        state.epoch, state.step = state.epoch + 1, 0

    def save(self) -> None:
        self.state.rows = len(self.history.rows)
        if self.group.first:
            save(self.folder, self.state, self.trainable.state_dict(), self.group.world)


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
