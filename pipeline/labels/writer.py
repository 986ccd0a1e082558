"""Label a rank's share of the shards, resumable at any moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.labels import encoding, shards, temporary
from pipeline.labels.spec import LabelSpec

Predict = Callable[[Sequence[str]], NDArray[Any]]
"""Ids of one batch → float maps `(n, H, W)`, 0–1 for u8 labels and log density for f16."""
OnProgress = Callable[[int, int], None]
"""Called after each shard with images done and images in all, of this rank."""


def write_shards(
    spec: LabelSpec,
    folder: Path,
    predict: Predict,
    *,
    rank: int = 0,
    world: int = 1,
    earlier: Path | None = None,
    on_progress: OnProgress | None = None,
) -> int:
    """Write the shards `rank::world` that are not yet complete; return how many were labelled.

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
    for shard in mine:
        temporary.remove_stale(folder, f"shard-{shard:05d}")
        if shards.fault(spec, folder, shard) is not None and not (
            earlier is not None and shards.take(spec, earlier, folder, shard)
        ):
            shards.write_shard(spec, folder, shard, _label(spec, shard, predict))
            written += 1
        done += len(spec.shard_ids(shard))
        if on_progress is not None:
            on_progress(done, total)
    return written


def _label(spec: LabelSpec, shard: int, predict: Predict) -> NDArray[Any]:
    """Predict one shard batch by batch; encoded maps `(n, H, W)`."""
    ids = spec.shard_ids(shard)
    maps = np.empty((len(ids), spec.height, spec.width), encoding.numpy_dtype(spec.dtype))
    for start in range(0, len(ids), spec.batch_size):
        batch = ids[start : start + spec.batch_size]
        predicted = np.asarray(predict(batch))
        expected = (len(batch), spec.height, spec.width)
        if predicted.shape != expected:
            raise ValueError(
                f"{spec.teacher} gave maps {predicted.shape} for a batch that needs {expected}"
            )
        maps[start : start + len(batch)] = encoding.encode(predicted, spec.dtype, batch)
    return maps
