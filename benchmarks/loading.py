"""Images per second of each step of loading: python -m benchmarks.loading [--root PATH].

Ratios compare figures of this one run; the figures themselves belong to the machine they were
measured on, and to how busy it was.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from pipeline import paths
from pipeline.data import layouts
from pipeline.data.dataset import ImageSet
from pipeline.data.images import read_rgb
from pipeline.data.layouts import Record
from pipeline.data.loader import Batches
from pipeline.data.resize import resize
from pipeline.data.sample import generate
from pipeline.errors import UserError

HEIGHT, WIDTH, BATCH, REPEATS = 192, 256, 16, 3


def main() -> int:
    """Measure and print; status 2 for a root that cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, help="SALICON root (default: the sample data)")
    parser.add_argument("--split", default="train")
    parser.add_argument("--images", type=int, default=160, help="how many images to use")
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            root = arguments.root or _sample(Path(scratch), arguments.images)
            records = layouts.scan("salicon", root, arguments.split)[: arguments.images]
            _report(records, arguments.workers)
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
    return 0


def _sample(scratch: Path, images: int) -> Path:
    made = paths.SAMPLE / "salicon"
    if made.is_dir():
        return made
    rate = _rate(lambda: generate(scratch, train=images, val=0, pool=0), images, repeats=1)
    print(f"generate       {rate:8.1f} images/s (annotated scenes, process start included)")
    return scratch / "salicon"


def _report(records: list[Record], workers: list[int]) -> None:
    count = len(records)
    pixels = [read_rgb(record.image) for record in records[:BATCH]]
    images = ImageSet(records, HEIGHT, WIDTH)
    print(f"{count} images to {HEIGHT}x{WIDTH}, best of {REPEATS}, {torch.get_num_threads()} cores")
    decode = _rate(lambda: [read_rgb(record.image) for record in records], count)
    print(f"decode         {decode:8.1f} images/s")
    shrink = _rate(lambda: [resize(p, HEIGHT, WIDTH) for p in pixels], len(pixels))
    print(f"resize         {shrink:8.1f} images/s")
    base = _rate(lambda: [images[i] for i in range(count)], count)
    print(f"image and map  {base:8.1f} images/s")
    for number in workers:
        batches = Batches(images, BATCH, seed=0, flip=True, workers=number)
        rate = _rate(lambda b=batches: sum(1 for _ in b.epoch(0)), count)  # type: ignore[misc]
        print(
            f"loader, {number} proc {rate:8.1f} images/s, "
            f"{rate / base:.2f} x image and map in one process"
        )


def _rate(work: Callable[[], object], images: int, repeats: int = REPEATS) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return images / best


if __name__ == "__main__":
    sys.exit(main())
