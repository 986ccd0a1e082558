"""Distillation losses of FastSal."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def hint_terms(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> list[Tensor]:
    """Eq. 1 layer by layer: mean squared error of each of the L layers, scalars.

    Both: L tensors (B, C_l, H_l, W_l). Raises `ValueError` where layers or shapes differ.
    """
    if len(student) != len(teacher):
        raise ValueError(f"{len(student)} student layers, but {len(teacher)} teacher layers")
    for layer, (s, t) in enumerate(zip(student, teacher, strict=True)):
        if s.shape != t.shape:
            raise ValueError(
                f"hint layer {layer}: student {tuple(s.shape)}, teacher {tuple(t.shape)}"
            )
    return [F.mse_loss(s.float(), t.float()) for s, t in zip(student, teacher, strict=True)]


def hint_loss(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """Eq. 1: the layers' mean squared errors, summed.

    >>> hint_loss([torch.ones(1, 2, 3, 3)], [torch.zeros(1, 2, 3, 3)])
    tensor(1.)
    """
    return torch.stack(hint_terms(student, teacher)).sum()
