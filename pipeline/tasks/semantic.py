"""Semantic segmentation: a class for every pixel."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.config.schema import Phase
from pipeline.data import classes
from pipeline.data.classes import VOID, shrunk
from pipeline.data.dataset import read_classes
from pipeline.data.evaluation import Sample
from pipeline.data.images import read_size
from pipeline.data.layouts import Record
from pipeline.distil import Objective
from pipeline.engine.loop import Batch
from pipeline.errors import UserError
from pipeline.files import read_json
from pipeline.labels.scores import soft_cross_entropy
from pipeline.losses import hard_pixels
from pipeline.metrics import segmentation
from pipeline.metrics.baselines import Baselines
from pipeline.metrics.segmentation import Confusion
from pipeline.tasks.assisted import outputs
from pipeline.tasks.readout import CLASS_LOGITS, Map
from pipeline.tasks.task import DenseTask


@dataclass(frozen=True)
class SemanticTask(DenseTask):
    """Classes, trained by cross-entropy, of hard pixels alone if the phase says so."""

    output: str = CLASS_LOGITS
    shares: tuple[float, ...] = ()
    """Of each class in the training pixels; empty where nobody counted."""

    name = "semantic"
    metrics = ("accuracy", "IoU")
    """Of each image alone; its IoU is the mean over the classes that occur in it."""
    over_all = ("mIoU",)
    smaller_is_better = ()
    gated = ("accuracy", "IoU")
    needs = ("labels",)
    readouts = ("classes",)
    prior_title = "Class frequencies"

    def informed(self, data: Path) -> Self:
        """With the share of each class, as preparing the data counted them."""
        pixels = list(read_json(data / "classes.json")["pixels"]["train"].values())
        total = max(1, sum(pixels))
        return dataclasses.replace(self, shares=tuple(number / total for number in pixels))

    def weights(self, phase: Phase) -> Tensor | None:
        """Of each class in the loss; None where all are alike."""
        if phase.balance is None:
            return None
        return torch.tensor([1 / math.log(phase.balance + share) for share in self.shares])

    def objective(self, student: nn.Module, phase: Phase) -> Objective:
        """The annotators' classes, auxiliary heads beside; a teacher's scores where it has any."""
        balance = self.weights(phase)

        def objective(batch: Batch) -> dict[str, Tensor]:
            main, auxiliary = outputs(student, batch["images"])
            found: dict[str, Tensor] = {}
            if phase.truth_weight > 0:
                truth = marked(batch, main)
                own = cross_entropy(main, truth, phase, balance)
                found["truth"] = phase.truth_weight * own
                for number, logits in enumerate(auxiliary):
                    # Plain: hard pixels are those of the main head (GALD's public training).
                    plain = cross_entropy(logits, truth, balance=balance)
                    found[f"auxiliary{number}"] = phase.auxiliary_weight * plain
            if phase.teacher_weight > 0:
                taught = soft_cross_entropy(main, batch["labels"])
                found["labels"] = phase.teacher_weight * taught
            return {"loss": torch.stack(list(found.values())).sum()} | found

        return objective

    def score(
        self,
        logits: Map,
        sample: Sample,
        baselines: Baselines | None = None,  # noqa: ARG002  # of fixations
    ) -> dict[str, Tensor]:
        """Each image's own accuracy and IoU."""
        found = self._confusion(logits, sample)
        values = {
            "accuracy": segmentation.accuracy(found),
            "IoU": segmentation.mean_iou(found),
        }
        return {name: torch.tensor([value]).double() for name, value in values.items()}

    def gather(self, logits: Map, sample: Sample, *, quick: bool) -> Any:  # noqa: ARG002
        """How often which class was taken for which, in one image."""
        return self._confusion(logits, sample)

    def reduce(self, gathered: Sequence[Any]) -> dict[str, float]:
        """MIoU of all images' pixels together."""
        found: Confusion = np.sum(gathered, axis=0)
        return {"mIoU": segmentation.mean_iou(found)}

    def details(self, gathered: Sequence[Any]) -> dict[str, Any]:
        """`classes`: the IoU of each, in their order; None for one that neither side has."""
        each = segmentation.iou(np.sum(gathered, axis=0))
        return {"classes": [None if np.isnan(value) else round(float(value), 5) for value in each]}

    def prior(self, records: Sequence[Record], height: int, width: int) -> Map:
        """How often each class was where, as logits: what a model that ignores its input knows."""
        listed = {record.classes for record in records if record.classes is not None}
        if not listed:
            raise UserError("no training image has classes; choose another data.train")
        counts = np.ones((len(classes.get(min(listed))), height, width), np.float32)  # none is 0
        for record in records:
            if record.labels is not None:
                found = shrunk(read_classes(record, read_size(record.image)), height, width)
                for index in np.unique(found[found != VOID]):
                    counts[index] += found == index
        logits: Map = np.log(counts / counts.sum(axis=0)).astype(np.float32)
        return logits

    def probability(self, logits: Map) -> Map:
        """How sure the network is of its class at each pixel, (h, w), 0-1."""
        shown: Map = torch.from_numpy(logits).softmax(dim=0).amax(dim=0).numpy()
        return shown

    def classes(self, logits: Map, height: int, width: int) -> Tensor:
        """Class indices (height, width): logits enlarged bilinearly, then the largest."""
        planes = torch.from_numpy(logits)[None]
        if planes.shape[-2:] != (height, width):
            planes = F.interpolate(planes, (height, width), mode="bilinear", align_corners=False)
        return planes[0].argmax(dim=0)

    def _confusion(self, logits: Map, sample: Sample) -> Confusion:
        if sample.classes is None:
            raise UserError(f"validation image {sample.id} has no classes; choose another data.val")
        truth = sample.classes.numpy()
        said = self.classes(logits, *truth.shape).numpy()
        return segmentation.confusion(said, truth, len(logits))


def marked(batch: Batch, logits: Tensor) -> Tensor:
    """Class indices (B, H, W) int64; `VOID` throughout for a batch of unlabelled images alone."""
    if "classes" in batch:
        classes_of: Tensor = batch["classes"]
        return classes_of.long()
    return torch.full_like(logits[:, 0], VOID, dtype=torch.int64)


def cross_entropy(
    logits: Tensor, truth: Tensor, phase: Phase | None = None, balance: Tensor | None = None
) -> Tensor:
    """Mean over the pixels that count: all but `VOID`, of which `phase.ohem` keeps the hard ones.

    `logits` (B, C, H, W), `truth` (B, H, W) int64; `balance` (C,) are weights of the classes, of
    which the mean is a weighted one. A batch that is void only costs 0.
    """
    if phase is not None and phase.ohem is not None:
        truth = hard_pixels(logits, truth, phase.ohem, phase.ohem_share, VOID)
    balance = None if balance is None else balance.to(logits)
    total = F.cross_entropy(logits, truth, balance, ignore_index=VOID, reduction="sum")
    known = truth[truth != VOID]
    counted = known.numel() if balance is None else balance[known].sum()
    return total / torch.as_tensor(counted).to(total).clamp_min(1e-6)
