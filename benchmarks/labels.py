"""Reads from the pseudo-label store against one `.npy` file per image, in one run.

    python -m benchmarks.labels [IMAGES]

Prints one JSON line: microseconds per random read of each (files in the page cache), their ratio,
and what each takes on disk. Only the ratios mean anything elsewhere.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.labels import LabelSpec, LabelStore, merge, write_shards
from pipeline.labels.encoding import decode, encode

HEIGHT, WIDTH = 192, 256
REPEATS = 5

Read = Callable[[str], NDArray[np.float32]]


def predict(ids: Sequence[str]) -> NDArray[np.float32]:
    """Noise, which no file system compresses away."""
    seeds = [int(name) for name in ids]
    return np.random.default_rng(seeds).random((len(ids), HEIGHT, WIDTH), np.float32)


def build_store(ids: tuple[str, ...], folder: Path) -> float:
    """Write and merge a store; images per second."""
    start = time.perf_counter()
    spec = LabelSpec("noise", "none", "none", HEIGHT, WIDTH, "cpu", ids)
    write_shards(spec, folder, predict)
    merge(spec, folder)
    return len(ids) / (time.perf_counter() - start)


def build_files(ids: tuple[str, ...], folder: Path, dtype: str) -> Read:
    """One `.npy` per image, as u8 or as the float32 that a naive dump keeps."""
    folder.mkdir()
    for name in ids:
        maps = predict([name])
        np.save(folder / name, encode(maps, "u8", [name])[0] if dtype == "u8" else maps[0])
    return lambda name: decode(np.load(folder / f"{name}.npy"))


def microseconds(read: Read, order: Sequence[str]) -> float:
    """Best of a few passes in random order, per read."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for name in order:
            read(name)
        times.append(time.perf_counter() - start)
    return 1e6 * min(times) / len(order)


def mebibytes(folder: Path) -> float:
    """Size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.iterdir()) / 2**20


def main(images: int = 2000) -> None:
    """Measure and print."""
    ids = tuple(f"{number:06d}" for number in range(images))
    order = [ids[place] for place in np.random.default_rng(0).permutation(images)]
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        rate = build_store(ids, root / "store")
        store = LabelStore(root / "store")
        readers: dict[str, Read] = {"store": store.__getitem__}
        readers |= {f"npy_{kind}": build_files(ids, root / kind, kind) for kind in ("u8", "f32")}
        times = {name: microseconds(read, order) for name, read in readers.items()}
        sizes = {name: mebibytes(root / name) for name in ("store", "u8", "f32")}
        count = len(list((root / "store").iterdir()))
    row = {
        "benchmark": "labels",
        "images": images,
        "size": [HEIGHT, WIDTH],
        "written_images_per_s": round(rate),
        "read_us": {name: round(value, 1) for name, value in times.items()},
        "times_faster_than_npy_u8": round(times["npy_u8"] / times["store"], 2),
        "times_faster_than_npy_f32": round(times["npy_f32"] / times["store"], 2),
        "mib": {name: round(value, 1) for name, value in sizes.items()},
        "files": {"store": count, "npy": images},
    }
    sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
