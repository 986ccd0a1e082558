"""Loading and labelling keep nothing of the images that have passed."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from torch import Tensor

from pipeline.data.dataset import ImageSet
from pipeline.data.layouts import Record
from pipeline.data.loader import Batches
from pipeline.labels import LabelSpec, image_reader, write_shards
from tests.data import trees

H, W, COUNT, BATCH = 192, 256, 304, 8
EARLY, LAST = 8, COUNT // BATCH - 1
IMAGE = 3 * H * W * 4  # bytes
Seen = Callable[[Tensor], None]
Way = Callable[[list[Record], int, Path, Seen], None]


def load(records: list[Record], workers: int, folder: Path, seen: Seen) -> None:
    batches = Batches(ImageSet(records, H, W), BATCH, seed=0, flip=True, workers=workers)
    for batch in batches.epoch(0):
        seen(batch["images"])


def label(records: list[Record], workers: int, folder: Path, seen: Seen) -> None:
    ids = tuple(record.id for record in records)
    spec = LabelSpec("average", "none", "none", H, W, "cpu", ids, shard_size=16, batch_size=BATCH)

    def predict(images: Tensor) -> NDArray[np.float32]:
        seen(images)
        # Of NumPy's memory: the C library is slow to use torch's again, which looks like a leak.
        means: NDArray[np.float32] = images.numpy().mean(1) / np.float32(255)
        return means

    read = image_reader({record.id: record for record in records}, H, W, workers)
    write_shards(spec, folder, predict, read=read)


def traced() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def resident() -> int:
    this = psutil.Process()
    size: int = sum(process.memory_info().rss for process in [this, *this.children()])
    return size


@pytest.mark.parametrize(
    ("way", "workers", "keep"),
    [
        (load, 0, False),
        (load, 1, False),
        (label, 0, False),
        (label, 1, False),
        (load, 0, True),
        (label, 1, True),
    ],
)
def test_memory_does_not_grow_with_the_images_seen(
    tmp_path: Path, way: Way, workers: int, keep: bool
) -> None:
    """`keep` holds on to every batch, to show that this would be seen."""
    trees.picture(tmp_path / "a.jpg", 0)
    records = [Record(f"{number:04d}", tmp_path / "a.jpg") for number in range(COUNT)]
    measure = resident if workers else traced
    kept: list[Tensor] = []
    sizes: list[int] = []

    def seen(images: Tensor) -> None:
        if keep:
            kept.append(images)
        # Looking takes time: only at the start, when all is under way, and at the end.
        sizes.append(measure() if len(sizes) in (EARLY, LAST) else 0)

    if not workers:
        tracemalloc.start()
    try:
        way(records, workers, tmp_path / "labels", seen)
    finally:
        tracemalloc.stop()
    assert len(sizes) == LAST + 1
    grown = (sizes[LAST] - sizes[EARLY]) / IMAGE  # in images, of the 232 seen between
    assert grown > 180 if keep else grown < 60
