"""Classification: one class for a whole image."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.config.schema import Phase
from pipeline.data.evaluation import Sample
from pipeline.data.layouts import Record
from pipeline.distil import Objective
from pipeline.engine.loop import Batch
from pipeline.errors import UserError
from pipeline.files import read_json
from pipeline.metrics import classification as metrics
from pipeline.metrics.baselines import Baselines
from pipeline.metrics.classification import Confusion
from pipeline.tasks.assisted import outputs
from pipeline.tasks.readout import CLASS_LOGITS, Map
from pipeline.tasks.task import DenseTask

SMOOTHING = 0.1
"""Share of the probability that `smoothed` spreads over all classes (Szegedy et al., CVPR 2016,
Sec. 7; CEDNet's recipe)."""
MOST = 5
"""Likeliest classes among which `top5` looks; all where there are fewer."""
MISTAKES = 20
"""Most frequent mistakes that evaluation keeps."""
ASPECT = 4 / 3
"""How much wider or narrower parts of training images are (Szegedy et al., CVPR 2015, Sec. 6)."""


@dataclass(frozen=True)
class ClassificationTask(DenseTask):
    """One class for each image; a network's output is a map of one pixel, (C, 1, 1)."""

    output: str = CLASS_LOGITS
    shares: tuple[float, ...] = ()
    """Of each class among the training images; empty where nobody counted."""

    name = "classification"
    metrics = ("top1", "top5", "CE", "P")
    """CE: cross-entropy in nats; P: the probability of the right class."""
    over_all = ("mAcc",)
    """Accuracy of each class, then their mean."""
    smaller_is_better = ("CE",)
    gated = ("top1", "P")
    needs = ("target",)
    readouts = ("classes",)
    stretch = ASPECT
    prior_title = "Class frequencies"

    def informed(self, data: Path) -> Self:
        """With the share of each class, as preparing the data counted its images."""
        images = read_json(data / "classes.json")["images"]["train"]
        total = max(1, sum(images))
        return dataclasses.replace(self, shares=tuple(number / total for number in images))

    def objective(self, student: nn.Module, phase: Phase) -> Objective:
        """Mean over heads of their cross-entropy, auxiliary ones by their weight."""
        smoothing = SMOOTHING if phase.objective == "smoothed" else 0.0

        def objective(batch: Batch) -> dict[str, Tensor]:
            main, auxiliary = outputs(student, batch["images"])
            self._require_classes(main.shape[1])
            weights = [phase.truth_weight, *(phase.auxiliary_weight for _ in auxiliary)]
            names = ["truth", *(f"auxiliary{number}" for number in range(len(auxiliary)))]
            found = {
                name: weight / sum(weights) * cross_entropy(logits, batch["target"], smoothing)
                for name, weight, logits in zip(names, weights, (main, *auxiliary), strict=True)
            }
            return {"loss": torch.stack(list(found.values())).sum()} | found

        return objective

    def score(
        self,
        logits: Map,
        sample: Sample,
        baselines: Baselines | None = None,  # noqa: ARG002  # of fixations
    ) -> dict[str, Tensor]:
        """Whether the class is the likeliest, or among five; cross-entropy and probability."""
        row, target = one(logits, sample)
        entropy = metrics.cross_entropy(row, target)
        return {
            "top1": metrics.top(row, target, 1),
            "top5": metrics.top(row, target, MOST),
            "CE": entropy,
            "P": (-entropy).exp(),
        }

    def gather(self, logits: Map, sample: Sample, *, quick: bool) -> Any:  # noqa: ARG002
        """The class, what it was taken for, and of how many."""
        row, target = one(logits, sample)
        return int(target), int(row.argmax()), row.shape[1]

    def reduce(self, gathered: Sequence[Any]) -> dict[str, float]:
        """Mean accuracy of the classes that have images."""
        return {"mAcc": metrics.mean_class_accuracy(counted(gathered))}

    def details(self, gathered: Sequence[Any]) -> dict[str, Any]:
        """`classes`: accuracy of each, None without images; `mistakes`: the most frequent ones."""
        found = counted(gathered)
        each = metrics.class_accuracy(found)
        shown = [None if np.isnan(value) else round(float(value), 5) for value in each]
        return {"classes": shown, "mistakes": metrics.mistakes(found, MISTAKES)}

    def prior(self, records: Sequence[Record], height: int, width: int) -> Map:  # noqa: ARG002
        """Log frequencies of the classes: what a model that ignores its input knows."""
        targets = [record.target for record in records if record.target is not None]
        if not targets:
            raise UserError("no training image has a class; choose another data.train")
        number = max(len(self.shares), max(targets) + 1)
        counts = 1 + np.bincount(targets, minlength=number)  # none is 0
        logits: Map = np.log(counts / counts.sum()).astype(np.float32)
        return logits[:, None, None]

    def probability(self, logits: Map) -> Map:
        """Of each class, (C, 1, 1), 0-1."""
        shown: Map = torch.from_numpy(logits).softmax(dim=0).numpy()
        return shown

    def _require_classes(self, number: int) -> None:
        if self.shares and number != len(self.shares):
            raise UserError(
                f"the student knows {number} classes, but data.train has {len(self.shares)}; set "
                f"student.overrides.classes={len(self.shares)}"
            )


def one(logits: Map, sample: Sample) -> tuple[Tensor, Tensor]:
    """Logits (1, C) and class (1,) of an image. Raises `UserError` for one without a class."""
    if sample.target is None:
        raise UserError(f"validation image {sample.id} has no class; choose another data.val")
    return torch.from_numpy(logits).reshape(1, -1), torch.tensor([sample.target])


def counted(gathered: Sequence[tuple[int, int, int]]) -> Confusion:
    """How often which class was taken for which, of what `gather` gave for every image."""
    target, called, (classes, *_) = zip(*gathered, strict=True)
    return metrics.confusion(target, called, classes)


def cross_entropy(logits: Tensor, target: Tensor, smoothing: float = 0.0) -> Tensor:
    """Mean over images: logits (B, C, 1, 1), classes (B,); a share is spread over all classes."""
    return F.cross_entropy(logits.flatten(1), target, label_smoothing=smoothing)
