"""The weight file of a package: values of any type at the offsets that a program names.

Each blob has a 64-byte head (a sentinel, the type, the length, where its data begin, and how many
bits of the last byte are padding); integers of fewer than eight bits lie packed, the first one in
the lowest bits.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import UserError

_SENTINEL = 0xDEADBEEF
_HEAD = struct.Struct("<IIQQ")
DENSE: dict[str, Any] = {
    "fp16": np.float16, "fp32": np.float32, "fp64": np.float64, "bool": np.bool_,
    "int8": np.int8, "int16": np.int16, "int32": np.int32, "int64": np.int64,
    "uint8": np.uint8, "uint16": np.uint16, "uint32": np.uint32, "uint64": np.uint64,
}  # fmt: skip
"""Types whose values fill whole bytes."""
PACKED = {"uint1": 1, "uint2": 2, "uint3": 3, "uint4": 4, "uint6": 6, "int4": 4}
"""Bits of each type whose values do not."""


def read(file: Path, offset: int, dtype: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """The values of `dtype` and `shape` whose head lies at `offset`; `UserError` if they do not."""
    try:
        with file.open("rb") as stream:
            stream.seek(offset)
            sentinel, _, length, start = _HEAD.unpack(stream.read(_HEAD.size))
            stream.seek(start)
            data = stream.read(length)
    except (OSError, struct.error, OverflowError) as error:
        raise UserError(
            f"{file} has no weight at byte {offset} ({error}); export it again"
        ) from error
    if sentinel != _SENTINEL or len(data) != length:
        raise UserError(f"{file} is damaged at byte {offset}; export it again")
    try:
        return decode(data, dtype, shape)
    except ValueError as error:
        raise UserError(f"{file}, byte {offset}: {error}; export it again") from error


def decode(data: bytes, dtype: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """`data` as an array of `dtype` and `shape`; `ValueError` when it is not as long as that."""
    count = int(np.prod(shape, dtype=np.int64))
    if dtype in PACKED:
        values = unpack(data, PACKED[dtype], count)
        if dtype == "int4":
            values = ((values.astype(np.int8) ^ 8) - 8).astype(np.int8)
        return values.reshape(shape)
    if dtype not in DENSE:
        raise ValueError(f"type {dtype} cannot be read")
    plain = np.frombuffer(data, DENSE[dtype])
    if plain.size != count:
        raise ValueError(f"{plain.size} values of {dtype} stored, shape {shape} takes {count}")
    return plain.reshape(shape)


def unpack(data: bytes, bits: int, count: int) -> npt.NDArray[np.uint8]:
    """`count` unsigned integers of `bits` bits each, the first in the lowest bits of `data`."""
    if len(data) * 8 < count * bits:
        raise ValueError(f"{len(data)} bytes stored, {count} values of {bits} bits take more")
    flat = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little", count=count * bits)
    weights = (1 << np.arange(bits)).astype(np.uint8)
    result: npt.NDArray[np.uint8] = (flat.reshape(count, bits) * weights).sum(1, dtype=np.uint8)
    return result
