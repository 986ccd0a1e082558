"""Networks with auxiliary heads, which only training sees."""

from __future__ import annotations

from typing import Protocol, cast

from torch import Tensor, nn


class Assisted(Protocol):
    """A network with auxiliary heads."""

    def outputs(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits (B, C, H, W), and those of each auxiliary head."""


def outputs(student: nn.Module, images: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Logits and those of auxiliary heads, float32; no auxiliary ones where it has no such head."""
    if hasattr(student, "outputs"):
        main, auxiliary = cast("Assisted", student).outputs(images)
        return main.float(), [each.float() for each in auxiliary]
    return student(images).float(), []
