"""Objectives that teach a student: hints from a teacher's features, maps of teacher and people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.engine.loop import Batch
from pipeline.losses import (
    DENSITY_WEIGHTS,
    as_density,
    density_loss,
    hint_terms,
    min_max,
)

Objective = Callable[[Batch], dict[str, Tensor]]


class Hinting(Protocol):
    """A model whose features can hint, or be hinted."""

    feature_channels: Sequence[int]
    """Of each level; models may also state `strides`, by which levels of two models are paired."""

    def features(self, images: Tensor) -> list[Tensor]:
        """Features (B, C_l, H_l, W_l), fine to coarse."""


Pairs = Sequence[tuple[int, int]]
"""Positions of a student's and of a teacher's level that are compared."""


def pairs(student: Hinting, teacher: Hinting) -> Pairs:
    """Levels of the same stride, the deepest of each model where several have it.

    Models that state no strides are paired in order. Raises `ValueError` where the two have no
    stride in common, or different numbers of levels without strides.
    """
    own, theirs = (getattr(model, "strides", None) for model in (student, teacher))
    if own is None or theirs is None:
        numbers = len(student.feature_channels), len(teacher.feature_channels)
        if numbers[0] != numbers[1]:
            raise ValueError(f"{numbers[0]} student levels cannot take {numbers[1]} hints")
        return [(i, i) for i in range(numbers[0])]
    deepest = [{stride: i for i, stride in enumerate(strides)} for strides in (own, theirs)]
    found = [(i, deepest[1][stride]) for stride, i in deepest[0].items() if stride in deepest[1]]
    if not found:
        raise ValueError(f"student strides {tuple(own)} and teacher strides {tuple(theirs)} differ")
    return found


class AdaptationLayers(nn.Module):
    """1x1 convolution and ReLU per level, from the student's widths to the teacher's (Sec. III-B).

    A student whose features already have the teacher's widths, as FastSal (C), needs none: its own
    adaptation layers are then what the hints train. `matched` picks the levels; None: all, in
    order. Never part of a checkpoint.
    """

    def __init__(
        self, student: Sequence[int], teacher: Sequence[int], matched: Pairs | None = None
    ) -> None:
        super().__init__()
        if matched is None:
            if len(student) != len(teacher):
                raise ValueError(f"{len(student)} student levels cannot take {len(teacher)} hints")
            matched = [(i, i) for i in range(len(student))]
        self.matched = tuple(matched)
        widths = [(student[i], teacher[j]) for i, j in self.matched]
        own = all(s == t for s, t in widths)
        self.levels = nn.ModuleList(
            nn.Identity() if own else nn.Sequential(nn.Conv2d(s, t, 1), nn.ReLU())
            for s, t in widths
        )

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        chosen = [features[i] for i, _ in self.matched]
        return [level(x) for level, x in zip(self.levels, chosen, strict=True)]

    def hints(self, features: Sequence[Tensor], like: Sequence[Tensor]) -> list[Tensor]:
        """The teacher's levels that are compared, each at the size of the student's in `like`."""
        chosen = [features[j] for _, j in self.matched]
        return [
            x
            if x.shape[-2:] == y.shape[-2:]
            else F.interpolate(x, size=y.shape[-2:], mode="bilinear", align_corners=False)
            for x, y in zip(chosen, like, strict=True)
        ]


def hint_objective(
    student: Hinting, adapt: AdaptationLayers, teacher: Hinting, scale: str = "paper"
) -> Objective:
    """Eq. 1 on a batch's images; the teacher runs on line, without gradient.

    `scale="unit"` divides each layer of the teacher by its root mean square over the batch.
    """

    def objective(batch: Batch) -> dict[str, Tensor]:
        own = adapt(student.features(batch["images"]))
        with torch.no_grad():
            target = adapt.hints(teacher.features(batch["images"]), own)
            if scale == "unit":
                target = [x / x.square().mean().sqrt().clamp_min(1e-12) for x in target]
        terms = hint_terms(own, target)
        # The layers' scales differ widely: shown apart, or the finest hides the others.
        shown = {f"layer{i}": term.detach() for i, term in enumerate(terms)}
        return {"loss": torch.stack(terms).sum()} | shown

    return objective


@dataclass(frozen=True)
class SaliencyTerms:
    """What fine-tuning learns from, and how."""

    teacher_weight: float = 1.0
    truth_weight: float = 1.0
    labels_loss: str = "bce"
    """`bce`: the teacher's term of Eq. 2; `density`: Eq. 3."""
    density_weights: str = "paper"
    """Weights of Eq. 3's terms, a key of `losses.DENSITY_WEIGHTS`."""


def saliency_objective(student: nn.Module, terms: SaliencyTerms) -> Objective:
    """The pseudo-label by Eq. 2 or Eq. 3, and the annotators' map by cross-entropy; each optional.

    The loss is per sample and averaged over the batch, so an unlabelled image of the pool, which
    has a teacher's map only, contributes that term only.
    """
    weights = {"teacher": terms.teacher_weight, "truth": terms.truth_weight}

    def objective(batch: Batch) -> dict[str, Tensor]:
        logits = student(batch["images"])
        found: dict[str, Tensor] = {}
        if terms.teacher_weight > 0:
            found["teacher"] = _labels_loss(logits, batch["labels"], terms).mean()
        if terms.truth_weight > 0:
            annotated = batch["annotated"].to(logits.device)
            found["truth"] = (_per_sample(logits, batch["truth"]) * annotated).mean()
        loss = torch.stack([weights[name] * value for name, value in found.items()]).sum()
        return {"loss": loss} | found

    return objective


def _labels_loss(logits: Tensor, labels: Tensor, terms: SaliencyTerms) -> Tensor:
    """(B,): Eq. 2 or Eq. 3, of labels of either form."""
    if terms.labels_loss == "density":
        return density_loss(logits, as_density(labels), DENSITY_WEIGHTS[terms.density_weights])
    log = bool((labels < 0).any())
    return _per_sample(logits, min_max(as_density(labels)) if log else labels)


def _per_sample(logits: Tensor, target: Tensor) -> Tensor:
    """(B, 1, H, W) twice -> (B,) mean cross-entropy over pixels."""
    each = F.binary_cross_entropy_with_logits(logits.float(), target, reduction="none")
    return each.mean(dim=(1, 2, 3))
