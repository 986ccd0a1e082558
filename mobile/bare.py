"""A student's bare backbone: what any student on it costs at least, and is compared with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from mobile.backend import Array
from mobile.export import ExportReport, export
from mobile.recipes import Recipe

if TYPE_CHECKING:
    from students import ModelSpec

SUFFIX = " (bare backbone)"
"""Behind the student's name in the rows of its backbone."""


class Bare(nn.Module):
    """Normalisation and backbone of a student, nothing behind it."""

    def __init__(self, student: Any) -> None:
        super().__init__()
        self.normalise = student.normalise
        self.features = student.backbone.features

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> the last features."""
        found: Tensor = self.features(self.normalise(images))
        return found


def of(student: nn.Module) -> Bare | None:
    """The backbone of `student`; None where it has none of its own."""
    backbone = getattr(student, "backbone", None)
    if not hasattr(student, "normalise") or not hasattr(backbone, "features"):
        return None
    return Bare(student).eval()


def export_bare(
    bare: Bare, spec: ModelSpec, recipe: Recipe, calibration: Iterable[Array], folder: Path
) -> ExportReport:
    """`mobile.export.export` of a backbone, under a name that says so."""
    return export(bare, replace(spec, name=spec.name + SUFFIX), recipe, calibration, folder)
