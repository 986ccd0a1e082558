"""Training by the likelihood of fixations, fold by fold (DeepGaze II)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pipeline.data import gaze
from pipeline.data.dataset import id_hash
from pipeline.data.records import Record
from pipeline.engine.loop import Batch
from pipeline.engine.supervised import Objective
from pipeline.errors import UserError
from pipeline.metrics.centre_bias import centre_bias, uniform_for
from teachers.deepgaze2 import DeepGaze2

_SMOOTH = 1e-3
"""Share of a uniform density in the centre bias: a fixation far out must not cost infinitely."""


def fold_of(image: str, folds: int) -> int:
    """The fold that holds an image out, by its id alone: the same in every epoch and process."""
    return id_hash(image) % folds


def centre_biases(records: Sequence[Record], folds: int, height: int, width: int) -> Tensor:
    """Log densities (folds, 1, height, width): where people look in the images each fold sees.

    A kernel density estimate (see `metrics.centre_bias`); with one fold all images count.
    Raises `UserError` when no image has fixations.
    """
    watched = [record for record in records if record.fixations is not None]
    if not watched:
        raise UserError(
            "the likelihood phase learns from fixations, and no training image has any; choose a "
            "data.train with fixations, or a teacher that learns from maps, such as salgan"
        )
    counts = [gaze.read(record).counts(height, width) for record in watched]
    found = []
    for fold in range(folds):
        seen = list(_seen(watched, counts, fold, folds))
        uniform = uniform_for(_SMOOTH, int(sum(count.sum() for count in seen)))
        found.append(centre_bias(seen, height, width, uniform=uniform))
    return torch.stack(found)[:, None].float()


def _seen(
    records: Sequence[Record], counts: Sequence[NDArray[np.int32]], fold: int, folds: int
) -> Iterator[NDArray[np.int32]]:
    for record, count in zip(records, counts, strict=True):
        if folds == 1 or fold_of(record.id, folds) != fold:
            yield count


def likelihood_objective(teacher: DeepGaze2) -> Objective:
    """Mean negative log-likelihood per fixation, in nats, of the folds that see an image.

    Each image weighs the same, however many fixations it has; one without weighs nothing. Beside
    `loss`, in bits per fixation over the fold's centre bias: `gain` on what is learned from, and
    `held_out_gain`, of the fold that never sees the image, which costs nothing and flatters nobody.
    """

    def objective(batch: Batch) -> dict[str, Tensor]:
        log_density = teacher.fold_log_densities(batch["images"]).double()
        counts = batch["fixations"].double()
        total = counts.sum(dim=(1, 2, 3))
        some = (total > 0).double()[:, None]
        each = -(log_density * counts).sum(dim=(2, 3)) / total.clamp_min(1)[:, None]
        prior = teacher.centre_bias[:, 0].double()
        base = -(prior * counts).sum(dim=(2, 3)) / total.clamp_min(1)[:, None]
        held = F.one_hot(batch["hash"] % teacher.folds, teacher.folds).bool()
        seen = (~held | (teacher.folds == 1)).double() * some
        left = held.double() * some * (teacher.folds > 1)
        gain = ((base - each) / math.log(2)).detach()
        return {
            "loss": _mean(each, seen).float(),
            "gain": _mean(gain, seen),
            "held_out_gain": _mean(gain, left),
        }

    return objective


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp_min(1)
