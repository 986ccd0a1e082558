"""Records for measuring: the model's input beside annotations at the original size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pipeline.data.dataset import read_image
from pipeline.data.fixations import read_mat
from pipeline.data.images import read_map
from pipeline.data.layouts import Record
from pipeline.data.loader import one_thread, plain_errors
from pipeline.errors import UserError


@dataclass(frozen=True)
class Sample:
    """One image to be measured on."""

    id: str
    image: Tensor
    """(3, h, w) float32 RGB 0-255 at the model's input size."""
    counts: Tensor | None
    """(H, W) int32 fixations per pixel at the original size, repeats included."""
    density: Tensor | None
    """(H, W) float32 fixation density map 0-1 at the original size."""
    dropped: int = 0
    """Fixations outside the image, which `counts` leaves out."""


def samples(
    records: Sequence[Record], height: int, width: int, workers: int = 0
) -> Iterator[Sample]:
    """Every record in order, its image at `height` x `width`.

    Raises `UserError` for damaged files, and when map and fixations are of different sizes.
    """
    loaded: DataLoader[Sample] = DataLoader(
        _Samples(records, height, width),
        batch_size=None,
        num_workers=workers,
        worker_init_fn=one_thread,
    )
    return plain_errors(loaded)


class _Samples(Dataset[Sample]):
    def __init__(self, records: Sequence[Record], height: int, width: int) -> None:
        self._records = list(records)
        self._size = (height, width)

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> Sample:
        record = self._records[index]
        density = None if record.map is None else torch.from_numpy(read_map(record.map))
        fixations = None if record.fixations is None else read_mat(record.fixations)
        counts = None if fixations is None else torch.from_numpy(fixations.counts())
        if density is not None and counts is not None and density.shape != counts.shape:
            raise UserError(
                f"{record.map} is {density.shape[0]}x{density.shape[1]}, but {record.fixations} "
                f"says {counts.shape[0]}x{counts.shape[1]}; both must have the image's size"
            )
        dropped = 0 if fixations is None else fixations.dropped
        return Sample(record.id, read_image(record, *self._size), counts, density, dropped)
