"""A network, an objective and one optimiser: what most phases train."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn, optim

from pipeline.engine.device import autocast
from pipeline.engine.loop import Batch, Weights
from pipeline.engine.optim import Rate, set_rate

Objective = Callable[[Batch], dict[str, Tensor]]
"""Batch (tensors already on the device) -> `loss` and named terms."""


class Supervised:
    """Trains `model` (and `helpers`, which are not shipped) on `objective`."""

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
    ) -> None:
        # Moving a module keeps its parameters' identity, so the optimiser goes on knowing them.
        self.model = model.to(device, memory_format=memory_format)  # type: ignore[call-overload]
        self.memory_format = memory_format
        self.helpers = nn.ModuleList(helpers).to(device)
        self.objective = objective
        self.optimiser = optimiser
        self.rate = rate
        self.device = device
        self.precision = precision
        self.grad_clip = grad_clip

    def step(self, batch: Batch, progress: float) -> dict[str, float]:
        """One update; see `engine.loop.Trainable`."""
        self.model.train()
        lr = set_rate(self.optimiser, self.rate(progress))
        with autocast(self.device, self.precision):
            terms = self.objective(self._here(batch))
        for name, value in terms.items():
            if not torch.isfinite(value):
                raise FloatingPointError(f"{name} is {value.item()}")
        self.optimiser.zero_grad(set_to_none=True)
        terms["loss"].backward()  # type: ignore[no-untyped-call]
        if self.grad_clip is not None:
            nn.utils.clip_grad_norm_(
                [p for g in self.optimiser.param_groups for p in g["params"]], self.grad_clip
            )
        self.optimiser.step()
        return {"lr": lr} | {name: value.item() for name, value in terms.items()}

    def _here(self, batch: Batch) -> Batch:
        moved = to_device(batch, self.device)
        if "images" in moved:
            moved["images"] = moved["images"].contiguous(memory_format=self.memory_format)
        return moved

    def weights(self) -> Weights:
        """The model's state dict on the CPU."""
        state = self.model.state_dict()
        return {name: value.detach().cpu().clone() for name, value in state.items()}

    def load_weights(self, weights: Weights) -> None:
        """Put `weights` back into the model."""
        self.model.load_state_dict(weights)

    def state_dict(self) -> dict[str, Any]:
        """Model, helpers and optimiser."""
        return {
            "model": self.model.state_dict(),
            "helpers": self.helpers.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Model, helpers and optimiser as saved."""
        self.model.load_state_dict(state["model"])
        self.helpers.load_state_dict(state["helpers"])
        self.optimiser.load_state_dict(state["optimiser"])


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The batch with its tensors on `device`."""
    return {
        key: value.to(device, non_blocking=True) if isinstance(value, Tensor) else value
        for key, value in batch.items()
    }
