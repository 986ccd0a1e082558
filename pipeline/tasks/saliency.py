"""Saliency prediction: maps of where people look, measured at the image's own resolution."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pipeline.config.schema import Phase
from pipeline.data.evaluation import Sample
from pipeline.data.resize import resize
from pipeline.distil import Objective, SaliencyTerms, saliency_objective
from pipeline.errors import UserError
from pipeline.metrics.baselines import Baselines
from pipeline.metrics.information import MIT_EPSILON, log_likelihood
from pipeline.metrics.saliency import cc, nss, saliency_metrics
from pipeline.metrics.summary import concatenate
from pipeline.tasks.readout import LOG_DENSITY, LOGITS, Map, probability

Predict = Callable[[Tensor], Map]
"""One image (3, h, w) RGB 0-255 -> its output (h, w): logits or a log density."""


@dataclass(frozen=True)
class Scores:
    """Metrics of every image: `values[metric]` is (N,) float64, NaN where undefined."""

    ids: tuple[str, ...]
    values: dict[str, Tensor]

    def means(self) -> dict[str, float]:
        """Mean per metric over the images that define it.

        Raises `UserError` for a metric that no image defines.
        """
        for name, left_out in self.undefined().items():
            if left_out == len(self.ids):
                raise UserError(
                    f"{name} is undefined on all {left_out} validation images: no fixation lies "
                    "inside any, or every density map is empty; mend or choose another data.val"
                )
        return {name: float(v[~v.isnan()].mean()) for name, v in self.values.items()}

    def undefined(self) -> dict[str, int]:
        """How many images each metric leaves out, for want of fixations or of density."""
        return {name: int(v.isnan().sum()) for name, v in self.values.items()}


@dataclass(frozen=True)
class SaliencyTask:
    """Fixation prediction, trained by Eq. 2 or 3, measured by the saliency benchmark's metrics."""

    output: str = LOGITS
    """What the student's numbers mean, and so how they are read; see `tasks.readout`."""

    name = "saliency"
    metrics = ("NSS", "CC", "KLDiv", "SIM", "AUC-Judd", "AUC-Borji", "sAUC", "IG")
    """The last two only where there are baselines."""
    smaller_is_better = ("KLDiv",)
    gated = ("NSS", "CC")
    """Metrics a budget limits the loss of."""

    def objective(self, student: nn.Module, phase: Phase) -> Objective:
        """The loss of a fine-tuning phase."""
        terms = SaliencyTerms(
            phase.teacher_weight, phase.truth_weight, phase.labels_loss, phase.density_weights
        )
        return saliency_objective(student, terms)

    def probability(self, logits: Map) -> Map:
        """Maps in 0-1 from the student's output."""
        return probability(logits, self.output)

    def at_size(self, logits: Map, height: int, width: int) -> Tensor:
        """The map (1, height, width) that is measured: read out, then the named resize. No blur."""
        return torch.from_numpy(resize(self.probability(logits), height, width))[None]

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

    def evaluate(
        self,
        predict: Predict,
        samples: Iterable[Sample],
        *,
        quick: bool = False,
        on_image: Callable[[Sample, Map], None] | None = None,
        baselines: Baselines | None = None,
    ) -> Scores:
        """Scores of `predict` on every sample; `on_image` sees each sample with its logits."""
        ids: list[str] = []
        full = functools.partial(self.score, baselines=baselines)
        score = self.quick_score if quick else full

        def rows() -> Iterator[dict[str, Tensor]]:
            for sample in samples:
                logits = predict(sample.image)
                ids.append(sample.id)
                if on_image is not None:
                    on_image(sample, logits)
                with one_thread():
                    found = score(logits, sample)
                yield found

        values = concatenate(rows())
        return Scores(tuple(ids), values)


def bits_over_uniform(shown: Tensor, counts: Tensor) -> Tensor:
    """LL: log-likelihood of maps read as densities, in bits per fixation over a uniform one.

    Both (B, H, W) -> (B,).
    """
    weights = shown.double().clamp_min(MIT_EPSILON)
    log_density = (weights / weights.sum(dim=(1, 2), keepdim=True)).log()
    pixels = shown[0].numel()
    return log_likelihood(log_density, counts) / math.log(2) + math.log2(pixels)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Metrics are many small operations: on busy cores, threads cost them more than they bring."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def annotated(sample: Sample) -> tuple[Tensor, Tensor]:
    """Fixation counts and density of a validation image, (1, H, W) each."""
    if sample.counts is None or sample.density is None:
        missing = "fixations" if sample.counts is None else "a density map"
        raise UserError(f"validation image {sample.id} has no {missing}; choose another data.val")
    return sample.counts[None], sample.density[None]


def torch_predictor(model: nn.Module, device: torch.device) -> Predict:
    """Run `model` (eval mode) on one image at a time."""

    def predict(image: Tensor) -> Map:
        with torch.inference_mode():
            logits: Tensor = model(image[None].to(device))
        row: Map = logits[0, 0].float().cpu().numpy()
        return row

    return predict
