"""Loaders with worker processes: the same batches whatever their number."""

from __future__ import annotations

import traceback
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch.utils.data import DataLoader

from pipeline.data.dataset import ImageSet, Item, collate
from pipeline.data.processes import be_quiet_without_parent, interrupts_held
from pipeline.data.sampler import NO_SCALING, BatchPlan, Pick, steps
from pipeline.errors import UserError

Batch = dict[str, Any]
T = TypeVar("T")


class Batches:
    """Shuffled batches of an image set: a pure function of seed, epoch and first step.

    Worker processes stay from one epoch to the next, and end with the object, or with an epoch that
    is not read to its end. Each of `world` ranks is given its slice of every batch, with the `ids`
    of the whole one. Raises `UserError` when whole batches are asked for and there are too few
    images for one.
    """

    def __init__(
        self,
        images: ImageSet,
        batch: int,
        seed: int,
        *,
        flip: bool = False,
        drop_last: bool = False,
        scale: tuple[float, float] = NO_SCALING,
        stretch: float = 1.0,
        workers: int = 0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        if drop_last and len(images) < batch:
            raise UserError(
                f"a batch of {batch} images needs as many to train on, but there are "
                f"{len(images)}; set profile.batch (a teacher's: profile.teacher_batch) lower"
            )
        self._set = images
        self._batch = batch
        self._seed = seed
        self._flip = flip
        self._drop_last = drop_last
        self._scale = scale
        self._stretch = stretch
        self._workers = workers
        self._rank = rank
        self._world = world
        self._idle: DataLoader[Item] | None = None
        """With its workers, between two epochs."""

    @property
    def images(self) -> int:
        """Images in one epoch."""
        whole = len(self) * self._batch
        return min(whole, len(self._set))

    def __len__(self) -> int:
        return steps(len(self._set), self._batch, self._drop_last)

    def epoch(self, epoch: int, first_step: int = 0) -> Iterator[Batch]:
        """Batches of `epoch` from `first_step` on, as `collate` makes them."""
        plan = BatchPlan(
            len(self._set),
            self._batch,
            self._seed,
            epoch,
            first_step,
            self._flip,
            self._drop_last,
            self._scale,
            self._rank,
            self._world,
            self._stretch,
        )
        batches = self._kept(plan) if self._workers else loader(self._set, plan)
        return batches if self._world == 1 else self._with_all_ids(batches, plan)

    def _kept(self, plan: BatchPlan) -> Iterator[Batch]:
        """The batches of `plan` by the workers of the epoch before, which it leaves to the next."""
        loaded, self._idle = self._idle or _loader(self._set, _Plans(), self._workers), None
        assert isinstance(loaded.batch_sampler, _Plans)
        loaded.batch_sampler.now = plan
        try:
            yield from plain_errors(loaded)
        except BaseException:
            del loaded  # and its workers with it, before the caller hears of the error
            raise
        self._idle = loaded

    def _with_all_ids(self, batches: Iterator[Batch], plan: BatchPlan) -> Iterator[Batch]:
        for batch, picks in zip(batches, replace(plan, rank=0, world=1), strict=True):
            yield batch | {"ids": [self._set.records[pick.index].id for pick in picks]}


class _Plans:
    """The plan of the epoch at hand: what a loader that lives longer than one draws on."""

    now: BatchPlan

    def __len__(self) -> int:
        return len(self.now)

    def __iter__(self) -> Iterator[list[Pick]]:
        return iter(self.now)


def loader(images: ImageSet, plan: BatchPlan, workers: int = 0) -> Iterator[Batch]:
    """The batches of `plan`, read by `workers` processes (0: by this one)."""
    return plain_errors(_loader(images, plan, workers))


def _loader(images: ImageSet, plan: BatchPlan | _Plans, workers: int) -> DataLoader[Item]:
    return DataLoader(
        images,
        batch_sampler=plan,
        num_workers=workers,
        collate_fn=collate,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=begin_worker,
        prefetch_factor=4 if workers else None,
        persistent_workers=isinstance(plan, _Plans),
    )


def in_order(images: ImageSet, batch: int, workers: int = 0) -> Iterator[Batch]:
    """Batches in the order of the records, for labelling and calibration."""
    loaded: DataLoader[Item] = DataLoader(
        images,
        batch_size=batch,
        num_workers=workers,
        collate_fn=collate,
        worker_init_fn=begin_worker,
        prefetch_factor=4 if workers else None,
    )
    return plain_errors(loaded)


def plain_errors(loaded: Iterable[T]) -> Generator[T, None, None]:
    """Iterate; a worker's `UserError` arrives without the worker's traceback, Ctrl-C not at all.

    However it ends, its workers have ended before the caller hears of it.
    """
    with interrupts_held():
        batches = iter(loaded)
    try:
        yield from batches
    except BaseException as error:
        # The loader's frames refer to it in a circle, and one that is collected as garbage has
        # lost the means to stop its workers: five seconds go by for each of them.
        traceback.clear_frames(error.__traceback__)
        if not isinstance(error, UserError):
            raise
        # torch packs the worker's whole traceback into the message.
        raise UserError(str(error).rpartition("UserError: ")[2].strip()) from error
    finally:
        del batches, loaded


def begin_worker(_worker: int) -> None:
    """Keep a worker to one thread, as the cores belong to the model, and quiet at its end."""
    torch.set_num_threads(1)
    be_quiet_without_parent()
