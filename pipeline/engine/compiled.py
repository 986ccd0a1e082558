"""`torch.compile` of an objective, with an error a person can use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from pipeline.errors import UserError

Objective = Callable[[dict[str, Any]], dict[str, Tensor]]
COMPILERS = ("torch._dynamo", "torch._inductor")


def compiled(objective: Objective) -> Objective:
    """The objective, compiled at its first call: model, teacher and loss as one graph.

    The compiled function sees the batch's tensors alone: it would be compiled anew for every list
    of ids. Raises `UserError` where no compiler works.
    """
    fast = torch.compile(objective)

    def run(batch: dict[str, Any]) -> dict[str, Tensor]:
        tensors = {key: value for key, value in batch.items() if isinstance(value, Tensor)}
        try:
            terms: dict[str, Tensor] = fast(tensors)
        except Exception as error:
            if not _is_of_compiler(error):
                raise
            reason = " ".join(str(error).split())[:300]
            raise UserError(
                f"machine.compile: torch.compile failed ({reason}); it needs a C++ compiler, and "
                "on CUDA Triton; set machine.compile=false to train without"
            ) from error
        return terms

    return run


def _is_of_compiler(error: BaseException) -> bool:
    modules = [kind.__module__ for kind in type(error).__mro__]
    return any(module.startswith(COMPILERS) for module in modules)
