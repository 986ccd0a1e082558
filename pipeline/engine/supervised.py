"""A network, an objective and one optimiser: what most phases train."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn, optim

from pipeline.engine.compiled import compiled
from pipeline.engine.device import autocast
from pipeline.engine.distributed import ALONE, Group
from pipeline.engine.ema import MovingAverage
from pipeline.engine.loop import Batch
from pipeline.engine.optim import Rate, set_rate
from pipeline.engine.state import Weights

Objective = Callable[[Batch], dict[str, Tensor]]
"""Batch (tensors already on the device) -> `loss` and named terms."""


class Supervised:
    """Trains `model` (and `helpers`, which are not shipped) on `objective`.

    Each step takes the batch in `accumulate` equal pieces, one after the other, and the processes
    of `group` take theirs at once; the gradient is the mean over all. With `ema`, what is kept
    and measured is the moving average of the weights.
    """

    def __init__(
        self,
        model: nn.Module,
        helpers: Sequence[nn.Module],
        objective: Objective,
        optimiser: optim.Optimizer,
        rate: Rate,
        device: torch.device,
        precision: str = "fp32",
        grad_clip: float | None = None,
        memory_format: torch.memory_format = torch.contiguous_format,
        *,
        group: Group = ALONE,
        accumulate: int = 1,
        ema: float | None = None,
        compile_objective: bool = False,
    ) -> None:
        # Moving a module keeps its parameters' identity, so the optimiser goes on knowing them.
        self.model = model.to(device, memory_format=memory_format)  # type: ignore[call-overload]
        self.memory_format = memory_format
        self.helpers = nn.ModuleList(helpers).to(device)
        trained = nn.ModuleDict({"model": self.model, "helpers": self.helpers})
        group.align([trained])
        objective = compiled(objective) if compile_objective else objective
        self.objective = group.wrap(objective, [trained])
        self.optimiser = optimiser
        self.rate = rate
        self.device = device
        self.precision = precision
        self.grad_clip = grad_clip
        self.group = group
        self.accumulate = accumulate
        self.average = MovingAverage(trained, ema) if ema is not None else None

    def step(self, batch: Batch, progress: float) -> dict[str, float]:
        """One update; see `engine.loop.Trainable`."""
        self.model.train()
        self.group.part_ways()
        lr = set_rate(self.optimiser, self.rate(progress))
        self.optimiser.zero_grad(set_to_none=True)
        seen = [self._learn(*piece) for piece in _pieces(batch, self.accumulate)]
        if self.grad_clip is not None:
            nn.utils.clip_grad_norm_(
                [p for g in self.optimiser.param_groups for p in g["params"]], self.grad_clip
            )
        self.optimiser.step()
        if self.average is not None:
            self.average.update()
        return {"lr": lr} | {name: sum(s[name] for s in seen) / len(seen) for name in seen[0]}

    def _learn(self, piece: Batch, last: bool) -> dict[str, float]:
        """Add the gradient of one piece; the means of its terms over the processes."""
        with contextlib.nullcontext() if last else self.group.held(self.objective):
            with autocast(self.device, self.precision):
                terms = self.objective(self._here(piece))
            values = self.group.means(terms)
            for name, value in values.items():
                if not math.isfinite(value):
                    raise FloatingPointError(f"{name} is {value}")
            loss = terms["loss"] / self.accumulate if self.accumulate > 1 else terms["loss"]
            loss.backward()  # type: ignore[no-untyped-call]
        return values

    def _here(self, batch: Batch) -> Batch:
        moved = to_device(batch, self.device)
        if "images" in moved:
            moved["images"] = moved["images"].contiguous(memory_format=self.memory_format)
        return moved

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Inside the block, model and helpers have the weights that are kept: for validation."""
        with self.average.shown() if self.average else contextlib.nullcontext():
            yield

    def weights(self) -> Weights:
        """The model's state dict on the CPU; its moving average, if there is one."""
        state = self.average.of("model") if self.average else self.model.state_dict()
        return {name: value.detach().cpu().clone() for name, value in state.items()}

    def load_weights(self, weights: Weights) -> None:
        """Put `weights` back into the model, and into its moving average."""
        self.model.load_state_dict(weights)
        if self.average is not None:
            self.average.restart()

    def state_dict(self) -> dict[str, Any]:
        """Model, helpers, optimiser and moving average."""
        return {
            "model": self.model.state_dict(),
            "helpers": self.helpers.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average.state_dict() if self.average else None,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Everything as saved."""
        self.model.load_state_dict(state["model"])
        self.helpers.load_state_dict(state["helpers"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])


def _pieces(batch: Batch, number: int) -> Iterator[tuple[Batch, bool]]:
    """The batch in `number` equal parts along its images, each with whether it is the last.

    Raises `ValueError` where they would not be equal.
    """
    for part in range(number):
        yield {k: _part(v, part, number) for k, v in batch.items()}, part == number - 1


def _part(value: Any, part: int, number: int) -> Any:
    if number == 1 or not isinstance(value, Tensor):
        return value
    if len(value) % number:
        raise ValueError(f"{len(value)} images do not make {number} equal pieces")
    size = len(value) // number
    return value[part * size : (part + 1) * size]


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The batch with its tensors on `device`."""
    return {
        key: value.to(device, non_blocking=True) if isinstance(value, Tensor) else value
        for key, value in batch.items()
    }
