"""Saliency prediction: maps of where people look, measured at the image's own resolution."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor, nn

from pipeline.config.schema import Phase
from pipeline.data.evaluation import Sample
from pipeline.distil import Objective, SaliencyTerms, saliency_objective
from pipeline.errors import UserError
from pipeline.metrics.baselines import Baselines
from pipeline.metrics.information import MIT_EPSILON, log_likelihood
from pipeline.metrics.saliency import cc, nss, saliency_metrics
from pipeline.tasks.readout import LOG_DENSITY, Map
from pipeline.tasks.task import DenseTask


@dataclass(frozen=True)
class SaliencyTask(DenseTask):
    """Fixation prediction, trained by Eq. 2 or 3, measured by the saliency benchmark's metrics."""

    name = "saliency"
    metrics = ("NSS", "CC", "KLDiv", "SIM", "AUC-Judd", "AUC-Borji", "sAUC", "IG")
    """The last two only where there are baselines."""
    smaller_is_better = ("KLDiv",)
    gated = ("NSS", "CC")
    needs = ("map", "fixations")
    readouts = ("sigmoid", "softmax")

    def objective(self, student: nn.Module, phase: Phase) -> Objective:
        """The loss of a fine-tuning phase."""
        terms = SaliencyTerms(
            phase.teacher_weight, phase.truth_weight, phase.labels_loss, phase.density_weights
        )
        return saliency_objective(student, terms)

    def score(
        self, logits: Map, sample: Sample, baselines: Baselines | None = None
    ) -> dict[str, Tensor]:
        """All metrics of one image, each (1,) float64; sAUC and IG need the `baselines`."""
        counts, density = annotated(sample)
        shown = self.at_size(logits, *counts.shape[-2:])
        others = baselines.others(sample.id) if baselines else None
        centre = baselines.baseline(sample.id) if baselines else None
        return saliency_metrics(
            shown,
            counts,
            density,
            others=None if others is None else [others],
            baseline=None if centre is None else centre[None],
            ids=[sample.id],
        )

    def quick_score(self, logits: Map, sample: Sample) -> dict[str, Tensor]:
        """NSS and CC alone, and LL of a log density, for the pass after each epoch."""
        counts, density = annotated(sample)
        shown = self.at_size(logits, *counts.shape[-2:])
        scores = {"NSS": nss(shown, counts), "CC": cc(shown, density)}
        if self.output == LOG_DENSITY:
            scores["LL"] = bits_over_uniform(shown, counts)
        return scores


def bits_over_uniform(shown: Tensor, counts: Tensor) -> Tensor:
    """LL: log-likelihood of maps read as densities, in bits per fixation over a uniform one.

    Both (B, H, W) -> (B,).
    """
    weights = shown.double().clamp_min(MIT_EPSILON)
    log_density = (weights / weights.sum(dim=(1, 2), keepdim=True)).log()
    pixels = shown[0].numel()
    return log_likelihood(log_density, counts) / math.log(2) + math.log2(pixels)


def annotated(sample: Sample) -> tuple[Tensor, Tensor]:
    """Fixation counts and density of a validation image, (1, H, W) each."""
    if sample.counts is None or sample.density is None:
        missing = "fixations" if sample.counts is None else "a density map"
        raise UserError(f"validation image {sample.id} has no {missing}; choose another data.val")
    return sample.counts[None], sample.density[None]
