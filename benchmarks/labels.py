"""Reads from the pseudo-label store against one `.npy` file per image, in turns within one run.

    python -m benchmarks.labels                 2,000 images at 192x256, in the page cache
    python -m benchmarks.labels 500 --cold      also with the files put out of the cache first

Three rows. `u8 in memory`: a map's stored bytes copied into memory that is there, against `np.load`
of the same bytes. `u8 as float32 0-1`: what training takes, the same conversion on both sides.
`float32 .npy`: what training takes, against `np.load` of a naive dump of float32, which needs no
conversion and four times the disk. Every read is of another image, in random order. Only the ratios
mean anything elsewhere; on a busy machine believe those by processor time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.interleaved import keep, table
from pipeline.labels import LabelSpec, LabelStore, merge, write_shards
from pipeline.labels.encoding import decode, encode

HEIGHT, WIDTH = 192, 256
REPEATS = 5

Read = Callable[[str], object]
Clocks = tuple[float, float]
"""Microseconds per read: wall, processor."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=int, nargs="?", default=2000)
    parser.add_argument("--cold", action="store_true", help="also from the disk")
    parser.add_argument("--json", type=Path, help="where to keep all figures")
    arguments = parser.parse_args()
    ids = tuple(f"{number:06d}" for number in range(arguments.images))
    order = [ids[place] for place in np.random.default_rng(0).permutation(len(ids))]
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        build(ids, root)
        rows = [compared(name, root, order, False) for name in PAIRS]
        if arguments.cold:
            rows += [compared(name, root, order, True) for name in PAIRS]
        sizes = {name: _mebibytes(root / name) for name in ("store", "u8", "f32")}
        count = len(list((root / "store").iterdir()))
    print(table(rows))
    print(
        f"\n{len(ids)} images: {count} files of the store, {len(ids)} of each kind of .npy; {sizes}"
    )
    keep(arguments.json, {"rows": rows, "mib": sizes})


def build(ids: tuple[str, ...], root: Path) -> None:
    """The same maps three times: a store, `.npy` of u8 and `.npy` of float32."""
    spec = LabelSpec("noise", "none", "none", HEIGHT, WIDTH, "cpu", ids)
    write_shards(spec, root / "store", lambda batch: np.stack([noise(name) for name in batch]))
    merge(spec, root / "store")
    for kind in ("u8", "f32"):
        (root / kind).mkdir()
    for name in ids:
        values = noise(name)
        np.save(root / "u8" / name, encode(values[None], "u8", [name])[0])
        np.save(root / "f32" / name, values)


def noise(name: str) -> NDArray[np.float32]:
    """A map that no file system compresses away."""
    return np.random.default_rng(int(name)).random((HEIGHT, WIDTH), np.float32)


def _in_memory(root: Path) -> tuple[Read, Read]:
    store, place = LabelStore(root / "store"), np.empty((HEIGHT, WIDTH), np.uint8)
    return (
        lambda name: np.copyto(place, store.stored(name)),
        lambda name: np.load(f"{root}/u8/{name}.npy"),
    )


def _as_floats(root: Path) -> tuple[Read, Read]:
    store = LabelStore(root / "store")
    return store.__getitem__, lambda name: decode(np.load(f"{root}/u8/{name}.npy"))


def _naive(root: Path) -> tuple[Read, Read]:
    store = LabelStore(root / "store")
    return store.__getitem__, lambda name: np.load(f"{root}/f32/{name}.npy")


PAIRS: dict[str, Callable[[Path], tuple[Read, Read]]] = {
    "u8 in memory": _in_memory,
    "u8 as float32 0-1": _as_floats,
    "float32 .npy": _naive,
}
"""Readers of the store and of `.npy` files, by what they are compared in."""


def compared(name: str, root: Path, order: Sequence[str], cold: bool) -> dict[str, Any]:
    """Medians of store and `.npy`, and of the ratios of their turns."""
    turns = list(_turns(name, root, order, cold))
    store, npy = ([statistics.median(t[who][c] for t in turns) for c in (0, 1)] for who in (0, 1))
    ratio = [statistics.median(t[1][c] / t[0][c] for t in turns) for c in (0, 1)]
    return {
        "read": f"{name}, {'from disk' if cold else 'cached'}",
        "store_us": round(store[0], 1),
        "npy_us": round(npy[0], 1),
        "times_by_wall": round(ratio[0], 1),
        "store_processor_us": round(store[1], 1),
        "npy_processor_us": round(npy[1], 1),
        "times_by_processor": round(ratio[1], 1),
    }


def _turns(
    name: str, root: Path, order: Sequence[str], cold: bool
) -> Iterator[tuple[Clocks, Clocks]]:
    readers = PAIRS[name](root)
    for reader in readers:
        _read(reader, order)
    for _ in range(REPEATS):
        if cold:
            del readers  # a file that is mapped stays in the cache
            _put_out(root)
            readers = PAIRS[name](root)
        store, npy = (_read(reader, order) for reader in readers)
        yield store, npy


def _read(read: Read, order: Sequence[str]) -> Clocks:
    wall, processor = time.perf_counter(), time.process_time()
    for name in order:
        read(name)
    used = time.perf_counter() - wall, time.process_time() - processor
    return 1e6 * used[0] / len(order), 1e6 * used[1] / len(order)


def _put_out(root: Path) -> None:
    """Have the system forget what it keeps of the files' content."""
    for path in root.glob("*/*"):
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _mebibytes(folder: Path) -> str:
    return f"{sum(path.stat().st_size for path in folder.iterdir()) / 2**20:.0f} MiB"


if __name__ == "__main__":
    main()
