"""Salient object detection: which pixels belong to the object that stands out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.config.schema import Phase
from pipeline.data.evaluation import Sample
from pipeline.distil import Objective
from pipeline.engine.loop import Batch
from pipeline.errors import UserError
from pipeline.losses import iou_loss
from pipeline.metrics import objects
from pipeline.metrics.baselines import Baselines
from pipeline.metrics.objects import Mask
from pipeline.tasks.readout import Map
from pipeline.tasks.task import DenseTask

INSIDE = 128 / 255
"""Masks are grey at their edges: what is brighter is object (SalMetric, PySODMetrics)."""


@dataclass(frozen=True)
class SalientObjectTask(DenseTask):
    """Masks, trained by cross-entropy and IoU (CII, Eq. 4-6), measured as SalMetric does."""

    name = "salient_object"
    metrics = ("S", "F", "E", "wF", "MAE")
    over_all = ("maxF",)
    smaller_is_better = ("MAE",)
    gated = ("S", "F")
    needs = ("map",)

    def objective(self, student: nn.Module, phase: Phase) -> Objective:
        """The teacher's map and the annotators', each by cross-entropy and IoU of its image."""
        weights = {"labels": phase.teacher_weight, "truth": phase.truth_weight}

        def objective(batch: Batch) -> dict[str, Tensor]:
            logits = student(batch["images"]).float()
            found: dict[str, Tensor] = {}
            for name, weight in weights.items():
                if weight <= 0:
                    continue
                target = batch[name]
                entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
                overlap = iou_loss(logits, target, phase.iou)
                each = {"bce": entropy.mean(dim=(1, 2, 3)), "iou": overlap}
                if name == "truth":
                    annotated = batch["annotated"].to(logits.device)
                    each = {term: value * annotated for term, value in each.items()}
                found |= {f"{name}_{term}": weight * value.mean() for term, value in each.items()}
            return {"loss": torch.stack(list(found.values())).sum()} | found

        return objective

    def score(
        self,
        logits: Map,
        sample: Sample,
        baselines: Baselines | None = None,  # noqa: ARG002  # of fixations
    ) -> dict[str, Tensor]:
        """Each image's own: S, F and E at twice the mean, weighted F, MAE."""
        mask = mask_of(sample)
        saved = self._saved(logits, mask)
        shown = objects.stretched(saved)
        found = {
            "S": objects.s_measure(shown, mask),
            "F": objects.adaptive_f(shown, mask),
            "E": objects.adaptive_e(shown, mask),
            "wF": objects.weighted_f(shown, mask),
            "MAE": objects.mae(saved / 255, mask),
        }
        return {name: torch.tensor([value]).double() for name, value in found.items()}

    def quick_score(self, logits: Map, sample: Sample) -> dict[str, Tensor]:
        """S, F and MAE."""
        mask = mask_of(sample)
        saved = self._saved(logits, mask)
        shown = objects.stretched(saved)
        found = {
            "S": objects.s_measure(shown, mask),
            "F": objects.adaptive_f(shown, mask),
            "MAE": objects.mae(saved / 255, mask),
        }
        return {name: torch.tensor([value]).double() for name, value in found.items()}

    def gather(self, logits: Map, sample: Sample, *, quick: bool) -> Any:
        """Precision and recall of one image; they take too long for the pass after each epoch."""
        mask = mask_of(sample)
        return None if quick else objects.curve(self._saved(logits, mask), mask)

    def reduce(self, gathered: Sequence[Any]) -> dict[str, float]:
        """The best F of the mean curve, as SalMetric reports it."""
        return {"maxF": float(objects.f_of(objects.mean_curve(gathered)).max())}

    def details(self, gathered: Sequence[Any]) -> dict[str, Any]:
        """`curves`: precision and recall of the mean curve above each of the 256 levels."""
        mean = objects.mean_curve(gathered)
        both = {"precision": mean.precision, "recall": mean.recall}
        # Significant digits, not decimals: F divides by numbers that may be tiny, but never 0.
        kept = {name: [float(f"{value:.6g}") for value in each] for name, each in both.items()}
        return {"curves": kept}

    def _saved(self, logits: Map, mask: Mask) -> objects.Levels:
        return objects.levels(self.at_size(logits, *mask.shape)[0].double().numpy())


def mask_of(sample: Sample) -> Mask:
    """(H, W): which pixels are object. Raises `UserError` for an image without a mask."""
    if sample.density is None:
        raise UserError(f"validation image {sample.id} has no mask; choose another data.val")
    mask: Mask = (sample.density > INSIDE).numpy()
    return mask
