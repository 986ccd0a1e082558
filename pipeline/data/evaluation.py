"""Records for measuring: the model's input beside annotations at the original size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pipeline.data import gaze
from pipeline.data.agree import require_same_frame, require_same_size
from pipeline.data.dataset import read_classes, read_sized, read_truth
from pipeline.data.layouts import Record
from pipeline.data.loader import begin_worker, plain_errors


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
    """Fixations outside the image or nowhere, which `counts` leaves out."""
    classes: Tensor | None = None
    """(H, W) uint8 class indices at the original size, `VOID` where there is none."""
    target: int | None = None
    """Index of the class of the whole image."""


def samples(
    records: Sequence[Record], height: int, width: int, workers: int = 0
) -> Iterator[Sample]:
    """Every record in order, its image at `height` x `width`.

    Raises `UserError` for damaged files, and when map or fixations are of another shape than the
    image, or of different sizes.
    """
    loaded: DataLoader[Sample] = DataLoader(
        _Samples(records, height, width),
        batch_size=None,
        num_workers=workers,
        worker_init_fn=begin_worker,
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
        image, size = read_sized(record, *self._size)
        density = torch.from_numpy(read_truth(record, size)) if record.has_truth else None
        marked = None
        if record.labels is not None:
            marked = torch.from_numpy(read_classes(record, size))
        if record.fixations is None:
            return Sample(record.id, image, None, density, classes=marked, target=record.target)
        watched = gaze.read(record)
        found = (watched.height, watched.width)
        require_same_frame(record.image, size, record.fixations, found)
        if record.map is not None and density is not None:
            height, width = density.shape
            require_same_size(record.map, (height, width), record.fixations, found)
        return Sample(
            record.id, image, torch.from_numpy(watched.counts()), density, watched.dropped, marked
        )
