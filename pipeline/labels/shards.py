"""One shard on disk: a raw array of maps and the sidecar that vouches for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.files import read_json, sha256_bytes, sha256_file
from pipeline.labels import encoding, temporary
from pipeline.labels.spec import LabelSpec

Maps = NDArray[Any]


def write_shard(spec: LabelSpec, folder: Path, shard: int, maps: Maps) -> None:
    """Write encoded maps `(n, H, W)`, then their sidecar: without a sidecar there is no shard."""
    data = maps.tobytes()
    temporary.replace_bytes(folder / spec.data_name(shard), data)
    text = json.dumps(sidecar(spec, shard, sha256_bytes(data)), indent=2, sort_keys=True) + "\n"
    temporary.replace_bytes(folder / spec.sidecar_name(shard), text.encode())


def take(spec: LabelSpec, earlier: Path, folder: Path, shard: int) -> bool:
    """Copy a shard from the store in `earlier` if it is sound there; whether it was."""
    if fault(spec, earlier, shard) is not None:
        return False
    for name in (spec.data_name(shard), spec.sidecar_name(shard)):
        temporary.replace_bytes(folder / name, (earlier / name).read_bytes())
    return True


def sidecar(spec: LabelSpec, shard: int, digest: str) -> dict[str, Any]:
    """Give all that the sidecar of a shard with this SHA-256 must say."""
    ids = spec.shard_ids(shard)
    return {
        **spec.header(),
        "key": spec.key(),
        "shard": shard,
        "ids": list(ids),
        "count": len(ids),
        "sha256": digest,
    }


def fault(spec: LabelSpec, folder: Path, shard: int) -> str | None:
    """Say in words what is wrong with a shard; None if its every byte is as written."""
    data = folder / spec.data_name(shard)
    beside = folder / spec.sidecar_name(shard)
    for path in (data, beside):
        if not path.is_file():
            return f"{path.name} is missing"
    if data.stat().st_size != data_size(spec, shard):
        return f"{data.name} has {data.stat().st_size} bytes, not {data_size(spec, shard)}"
    try:
        found = read_json(beside)
    except UserError:
        return f"{beside.name} is not valid JSON"
    if not isinstance(found, dict) or found.get("key") != spec.key():
        return f"{beside.name} belongs to other labels (its key differs)"
    digest = sha256_file(data)
    if found.get("sha256") != digest:
        return f"{data.name} is corrupted (its SHA-256 is not the one in {beside.name})"
    if found != sidecar(spec, shard, digest):
        return f"{beside.name} is corrupted (it does not describe the shard)"
    return None


def again(teacher: str) -> str:
    """How to mend a store."""
    return (
        f"mend it with `python -m pipeline.stages.label {teacher}`, which labels only such shards "
        f"again, or all of it with `dvc repro -f label@{teacher}`"
    )


def data_size(spec: LabelSpec, shard: int) -> int:
    """Bytes of a shard's data file."""
    pixels = spec.height * spec.width * len(spec.shard_ids(shard))
    return pixels * encoding.numpy_dtype(spec.dtype).itemsize


def open_maps(spec: LabelSpec, folder: Path, shard: int) -> Maps:
    """Read-only memory map `(n, H, W)` of a shard's stored values.

    Raises `UserError` if the file is missing or not of the size its spec gives.
    """
    path = folder / spec.data_name(shard)
    shape = (len(spec.shard_ids(shard)), spec.height, spec.width)
    size = path.stat().st_size if path.is_file() else 0
    if size != data_size(spec, shard):
        raise UserError(
            f"{path} has {size} bytes, not {data_size(spec, shard)}; {again(folder.name)}"
        )
    return np.memmap(path, dtype=encoding.numpy_dtype(spec.dtype), mode="r", shape=shape)
