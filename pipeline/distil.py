"""Objectives that teach a student: hints from a teacher's features, maps of teacher and people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.engine.loop import Batch
from pipeline.losses import hint_terms

Objective = Callable[[Batch], dict[str, Tensor]]


class Hinting(Protocol):
    """A model whose features can hint, or be hinted."""

    feature_channels: Sequence[int]

    def features(self, images: Tensor) -> list[Tensor]:
        """Features (B, C_l, H_l, W_l), fine to coarse."""


class AdaptationLayers(nn.Module):
    """1x1 convolution and ReLU per level, from the student's widths to the teacher's (Sec. III-B).

    A student whose features already have the teacher's widths, as FastSal (C), needs none: its own
    adaptation layers are then what the hints train. Never part of a checkpoint.
    """

    def __init__(self, student: Sequence[int], teacher: Sequence[int]) -> None:
        super().__init__()
        if len(student) != len(teacher):
            raise ValueError(f"{len(student)} student levels cannot take {len(teacher)} hints")
        own = tuple(student) == tuple(teacher)
        self.levels = nn.ModuleList(
            nn.Identity() if own else nn.Sequential(nn.Conv2d(s, t, 1), nn.ReLU())
            for s, t in zip(student, teacher, strict=True)
        )

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        return [level(x) for level, x in zip(self.levels, features, strict=True)]


def hint_objective(
    student: Hinting, adapt: AdaptationLayers, teacher: Hinting, scale: str = "paper"
) -> Objective:
    """Eq. 1 on a batch's images; the teacher runs on line, without gradient.

    `scale="unit"` divides each layer of the teacher by its root mean square over the batch.
    """

    def objective(batch: Batch) -> dict[str, Tensor]:
        with torch.no_grad():
            target = teacher.features(batch["images"])
            if scale == "unit":
                target = [x / x.square().mean().sqrt().clamp_min(1e-12) for x in target]
        terms = hint_terms(adapt(student.features(batch["images"])), target)
        # The layers' scales differ widely: shown apart, or the finest hides the others.
        shown = {f"layer{i}": term.detach() for i, term in enumerate(terms)}
        return {"loss": torch.stack(terms).sum()} | shown

    return objective


def saliency_objective(student: nn.Module, teacher_weight: float, truth_weight: float) -> Objective:
    """Eq. 2: cross-entropy with the pseudo-label and with the annotators' map, each optional.

    The loss is per sample and averaged over the batch, so an unlabelled image of the pool, which
    has a teacher's map only, contributes that term only.
    """

    def objective(batch: Batch) -> dict[str, Tensor]:
        logits = student(batch["images"])
        terms: dict[str, Tensor] = {}
        if teacher_weight > 0:
            terms["teacher"] = _per_sample(logits, batch["labels"]).mean()
        if truth_weight > 0:
            annotated = batch["annotated"].to(logits.device)
            terms["truth"] = (_per_sample(logits, batch["truth"]) * annotated).mean()
        weights = {"teacher": teacher_weight, "truth": truth_weight}
        loss = torch.stack([weights[name] * value for name, value in terms.items()]).sum()
        return {"loss": loss} | terms

    return objective


def _per_sample(logits: Tensor, target: Tensor) -> Tensor:
    """(B, 1, H, W) twice -> (B,) mean cross-entropy over pixels."""
    each = F.binary_cross_entropy_with_logits(logits.float(), target, reduction="none")
    return each.mean(dim=(1, 2, 3))
