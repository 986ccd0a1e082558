"""Memory of loading and labelling over many images: it has to stay flat.

    python -m benchmarks.memory                                  20,000 images of generated scenes
    python -m benchmarks.memory --data salicon --images 330000 --every 10000

The photographs there are come again and again, under ids of their own. Each line tells the
resident memory of this process and of its loader processes (pages that they share are counted
once for each) after so many images. Exit status 1 if either way's memory, in the second half, grows
by more than `--most` MiB for 10,000 images: one image kept of every hundred would be 56. The first
half is left out because the heap, which the stages let keep what is freed, comes to its full size
in steps of a few tens of MiB (as seen here: the last one before 7,000 images, none up to 20,000).
In labelling, an average over the colours stands in for the teacher, so that it takes minutes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import psutil
import torch
from torch import Tensor

from benchmarks import photographs
from benchmarks.interleaved import keep
from pipeline.data.dataset import ImageSet
from pipeline.data.layouts import Record
from pipeline.data.loader import Batches
from pipeline.engine.device import keep_freed_memory
from pipeline.errors import UserError
from pipeline.labels import LabelSpec, image_reader, write_shards

HEIGHT, WIDTH, BATCH = 192, 256, 16
Samples = list[tuple[int, float]]
"""Images so far, MiB."""
Seen = Callable[[int], None]
"""Told images so far."""


def main() -> int:
    """Measure and print; status 1 for memory that grows, 2 for a root that cannot be read."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    photographs.add_arguments(parser)
    parser.add_argument("--images", type=int, default=20_000, help="default: %(default)s")
    parser.add_argument("--every", type=int, default=1000, help="images between two lines")
    parser.add_argument("--workers", type=int, default=2, help="loader processes")
    parser.add_argument("--most", type=float, default=32.0, help="MiB per 10,000 images")
    parser.add_argument("--json", type=Path, help="where to keep all figures")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()  # as the stages do
    with tempfile.TemporaryDirectory() as scratch:
        try:
            records = photographs.find(arguments, Path(scratch))
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        many = photographs.repeated(records, arguments.images)
        watches = {name: Watch(name, arguments.every) for name in ("load", "label")}
        load(many, arguments.workers, watches["load"])
        label(many, arguments.workers, Path(scratch) / "labels", watches["label"])
    found = {name: watch.samples for name, watch in watches.items()}
    slopes = {name: round(growth(samples), 1) for name, samples in found.items()}
    for name, slope in slopes.items():
        print(f"{name}: {slope:+.1f} MiB per 10,000 images (at most {arguments.most:g})")
    keep(arguments.json, {"samples": found, "mib_per_10000_images": slopes})
    return int(max(slopes.values()) > arguments.most)


def load(records: list[Record], workers: int, seen: Seen) -> None:
    """One epoch, as for training."""
    batches = Batches(ImageSet(records, HEIGHT, WIDTH), BATCH, 0, flip=True, workers=workers)
    done = 0
    for batch in batches.epoch(0):
        done += len(batch["ids"])
        seen(done)


def label(records: list[Record], workers: int, folder: Path, seen: Seen) -> None:
    """Files to shards."""
    ids = tuple(record.id for record in records)
    spec = LabelSpec("average", "none", "none", HEIGHT, WIDTH, "cpu", ids, "u8", 128, BATCH)
    read = image_reader({record.id: record for record in records}, HEIGHT, WIDTH, workers)

    def predict(images: Tensor) -> Tensor:
        return images.mean(1) / 255

    write_shards(spec, folder, predict, read=read, on_progress=lambda done, _total: seen(done))


class Watch:
    """Notes the memory after about `every` images each, and prints it."""

    def __init__(self, name: str, every: int) -> None:
        self.name, self.every = name, every
        self.samples: Samples = []

    def __call__(self, done: int) -> None:
        if done - (self.samples[-1][0] if self.samples else 0) < self.every:
            return
        own, workers = resident()
        self.samples.append((done, own + sum(workers)))
        each = ", ".join(f"{value:.0f}" for value in workers)
        print(f"{self.name:6}{done:8} images: {own:.0f} MiB, loader processes {each}", flush=True)


def growth(samples: Samples) -> float:
    """MiB for 10,000 images: the slope of a line through the second half."""
    settled = np.array(list(islice(samples, len(samples) // 2, None)))
    if len(settled) < 3:
        raise UserError("too few lines to tell a slope; give more --images or a smaller --every")
    slope: float = np.polyfit(settled[:, 0], settled[:, 1], 1)[0]
    return 10_000 * slope


def resident() -> tuple[float, list[float]]:
    """MiB of this process and of each child."""
    this = psutil.Process()
    return _mib(this), [_mib(child) for child in this.children() if child.is_running()]


def _mib(process: psutil.Process) -> float:
    resident: int = process.memory_info().rss
    return resident / 2**20


if __name__ == "__main__":
    sys.exit(main())
