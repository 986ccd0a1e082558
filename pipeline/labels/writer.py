"""Label a rank's share of the shards, resumable at any moment."""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pipeline.data.threads import behind
from pipeline.labels import encoding, shards, temporary
from pipeline.labels.reader import Read, no_reading
from pipeline.labels.spec import LabelSpec

Predict = Callable[[Any], Any]
"""What `read` gives for one batch, by default its ids → float maps `(n, H, W)`, 0–1 for u8 labels
and log density for f16: an array, or a tensor, which may still be on its way on another device."""
OnProgress = Callable[[int, int], None]
"""Called after each shard with images done and images in all, of this rank."""


def write_shards(
    spec: LabelSpec,
    folder: Path,
    predict: Predict,
    *,
    read: Read = no_reading,
    rank: int = 0,
    world: int = 1,
    earlier: Path | None = None,
    on_progress: OnProgress | None = None,
) -> int:
    """Write the shards `rank::world` that are not yet complete; return how many were labelled.

    `read` is given the batches to come and may work ahead; what it gives for each goes to
    `predict`, while maps predicted before are encoded and written by a thread behind it.

    A shard whose bytes or sidecar fail their check is labelled anew, or copied from a store in
    `earlier` that has it whole. `predict` sees the batches of
    one shard alone, so a shard's bytes depend on neither rank, world, resume nor neighbours, and
    ranks need not know of each other: one process, eight, or an array job write the same store.
    Raises `ValueError` for a rank outside `world` or maps of a wrong shape, `UserError` for map
    values that cannot be stored and for a full disk.
    """
    if not 0 <= rank < world:
        raise ValueError(f"rank {rank} is not in 0..{world - 1}")
    folder.mkdir(parents=True, exist_ok=True)
    mine = range(rank, spec.shards, world)
    total = sum(len(spec.shard_ids(shard)) for shard in mine)
    done = written = 0

    def count(images: int) -> None:
        nonlocal done
        done += images
        if on_progress is not None:
            on_progress(done, total)

    lacking = _lacking(spec, folder, mine, earlier, count)
    jobs = _jobs(spec, folder, lacking, predict, read)
    with contextlib.closing(behind(jobs)) as finished:
        for images in filter(None, finished):
            written += 1
            count(images)
    return written


def _lacking(
    spec: LabelSpec,
    folder: Path,
    mine: Iterable[int],
    earlier: Path | None,
    count: Callable[[int], None],
) -> Iterator[int]:
    """Shards that have to be labelled, each looked at when it is asked for; others are counted."""
    for shard in mine:
        temporary.remove_stale(folder, f"shard-{shard:05d}")
        if shards.fault(spec, folder, shard) is not None and not (
            earlier is not None and shards.take(spec, earlier, folder, shard)
        ):
            yield shard
        else:
            count(len(spec.shard_ids(shard)))


def _jobs(
    spec: LabelSpec, folder: Path, lacking: Iterable[int], predict: Predict, read: Read
) -> Generator[Callable[[], int], None, None]:
    """Predict batch by batch; yields what is left to do then.

    Each job returns how many images are now labelled: none unless it writes a shard.
    """
    ahead, now = itertools.tee(lacking)
    batches = (ids for shard in ahead for ids in spec.batches(shard))
    with contextlib.closing(read(batches)) as inputs:
        for shard in now:
            shape = (len(spec.shard_ids(shard)), spec.height, spec.width)
            maps = np.empty(shape, encoding.numpy_dtype(spec.dtype))
            start = 0
            for ids in spec.batches(shard):
                place = maps[start : start + len(ids)]
                yield functools.partial(_encode, spec, ids, predict(next(inputs)), place)
                start += len(ids)
            yield functools.partial(_write, spec, folder, shard, maps)


def _encode(spec: LabelSpec, ids: Sequence[str], predicted: Any, place: NDArray[Any]) -> int:
    maps = predicted.cpu().numpy() if isinstance(predicted, Tensor) else np.asarray(predicted)
    if maps.shape != place.shape:
        raise ValueError(
            f"{spec.teacher} gave maps {maps.shape} for a batch that needs {place.shape}"
        )
    place[:] = encoding.encode(maps, spec.dtype, ids)
    return 0


def _write(spec: LabelSpec, folder: Path, shard: int, maps: NDArray[Any]) -> int:
    shards.write_shard(spec, folder, shard, maps)
    return len(maps)
