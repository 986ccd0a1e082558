"""Distillation losses of FastSal."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def hint_loss(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """Eq. 1: mean squared error per layer, summed over layers.

    Both: L tensors (B, C_l, H_l, W_l). Raises `ValueError` where a layer's shapes differ.

    >>> hint_loss([torch.ones(1, 2, 3, 3)], [torch.zeros(1, 2, 3, 3)])
    tensor(1.)
    """
    if len(student) != len(teacher):
        raise ValueError(f"{len(student)} student layers, but {len(teacher)} teacher layers")
    total = torch.zeros((), device=student[0].device)
    for layer, (s, t) in enumerate(zip(student, teacher, strict=True)):
        if s.shape != t.shape:
            raise ValueError(
                f"hint layer {layer}: student {tuple(s.shape)}, teacher {tuple(t.shape)}"
            )
        total = total + F.mse_loss(s.float(), t.float())
    return total
