"""An exponential moving average of weights, which is what a phase then keeps and measures."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

Weights = dict[str, Tensor]


class MovingAverage:
    """The average of every weight of `module` over its updates.

    After the t-th update (t from 1) the average a_t is d a_{t-1} + (1 - d) w_t with
    d = min(decay, t / (t + 10)), so that a short phase does not keep its first weights, and a_0 is
    what the module held at the beginning. Batch-norm statistics are averaged like weights, since
    they belong to the activations that these make; counters are copied.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module = module
        self.decay = decay
        self.updates = 0
        self.values = _copied(module)

    @torch.no_grad()
    def update(self) -> None:
        """Take in the module's present weights."""
        self.updates += 1
        decay = min(self.decay, self.updates / (self.updates + 10))
        for name, value in self.module.state_dict().items():
            if value.is_floating_point():
                self.values[name].lerp_(value, 1 - decay)
            else:
                self.values[name].copy_(value)

    def of(self, child: str) -> Weights:
        """The average of the module's child of that name, by the child's own names."""
        prefix = f"{child}."
        return {k.removeprefix(prefix): v for k, v in self.values.items() if k.startswith(prefix)}

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Inside the block the module has the average's weights, afterwards its own again."""
        own = _copied(self.module)
        self.module.load_state_dict(self.values)
        try:
            yield
        finally:
            self.module.load_state_dict(own)

    def restart(self) -> None:
        """Let the average be the module's present weights; further updates weigh as before."""
        self.values = _copied(self.module)

    def state_dict(self) -> dict[str, Any]:
        """The average and how many updates it has seen."""
        return {"updates": self.updates, "values": self.values}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict`."""
        self.updates = state["updates"]
        for name, value in self.values.items():
            value.copy_(state["values"][name])


def _copied(module: nn.Module) -> Weights:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
