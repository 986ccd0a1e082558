"""Images of the coming batches, read while the teacher is at work on the present one."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pipeline.data.dataset import read_image
from pipeline.data.layouts import Record
from pipeline.data.loader import begin_worker, plain_errors

Ids = Sequence[str]
Read = Callable[[Iterable[Ids]], Generator[Any, None, None]]
"""Batches of ids → what the teacher takes for each, in the same order; closed when it is done."""

_AHEAD = 2
"""Batches each worker has ready: a batch of 16 at 192x256 takes 9 MiB."""


def no_reading(batches: Iterable[Ids]) -> Generator[Ids, None, None]:
    """Give the ids themselves, for a teacher that finds its own inputs."""
    yield from batches


def image_reader(
    records: Mapping[str, Record], height: int, width: int, workers: int = 0, *, pin: bool = False
) -> Read:
    """A `Read` of images `(n, 3, height, width)`, float32 RGB 0-255, by the named resize.

    `workers` processes read ahead (0: this one reads each batch when it is wanted); their number
    changes no bit. `pin` leaves batches in page-locked memory, from which a GPU copies while it
    computes. While iterated, the reader raises `UserError` naming a file that cannot be read.
    """

    def read(batches: Iterable[Ids]) -> Generator[Tensor, None, None]:
        loaded: DataLoader[Tensor] = DataLoader(
            _Images(height, width),
            # Drawn on only as far as batches are prefetched. Records travel with the batches: a
            # pool held by every worker would be copied page by page as its counts change.
            batch_sampler=_Chosen(records, batches),
            num_workers=workers,
            collate_fn=_stack,
            pin_memory=pin,
            worker_init_fn=begin_worker,
            prefetch_factor=_AHEAD if workers else None,
        )
        return plain_errors(loaded)

    return read


class _Chosen:
    """The records of each batch of ids."""

    def __init__(self, records: Mapping[str, Record], batches: Iterable[Ids]) -> None:
        self._records, self._batches = records, batches

    def __iter__(self) -> Generator[list[Record], None, None]:
        for ids in self._batches:
            yield [self._records[name] for name in ids]


class _Images(Dataset[Tensor]):
    def __init__(self, height: int, width: int) -> None:
        self._size = (height, width)

    def __getitem__(self, record: Record) -> Tensor:
        return read_image(record, *self._size)


def _stack(images: Sequence[Tensor]) -> Tensor:
    return torch.from_numpy(np.stack([image.numpy() for image in images]))
