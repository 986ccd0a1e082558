"""A small labelling job the tests share; as a script, one real writer process.

python -m tests.labels.labelling FOLDER RANK WORLD SECONDS_PER_BATCH
"""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.labels import LabelSpec, write_shards

SPEC = LabelSpec(
    teacher="salgan",
    teacher_hash="teacher-1",
    preprocessing_hash="preprocessing-1",
    height=6,
    width=8,
    device_type="cpu",
    ids=tuple(f"image-{number:03d}" for number in range(47)),
    shard_size=4,
    batch_size=3,
)


def predict(ids: Sequence[str]) -> NDArray[np.float32]:
    """Maps in 0–1 that depend, as a batched network's rounding may, on the whole batch."""
    batch = zlib.crc32("|".join(ids).encode())
    maps = [np.random.default_rng([batch, zlib.crc32(name.encode())]) for name in ids]
    return np.stack([generator.random((6, 8), dtype=np.float32) for generator in maps])


def files(folder: Path) -> dict[str, bytes]:
    """Name and bytes of everything in a folder, hidden files included."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _main(folder: str, rank: str, world: str, seconds: str) -> None:
    def slow(ids: Sequence[str]) -> NDArray[np.float32]:
        time.sleep(float(seconds))
        return predict(ids)

    print("ready", flush=True)
    write_shards(SPEC, Path(folder), slow, rank=int(rank), world=int(world))


if __name__ == "__main__":
    _main(*sys.argv[1:])
