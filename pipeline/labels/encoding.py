"""Maps to stored numbers and back: u8 fixation maps, f16 log densities, u32 class scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.labels.scores import unpacked

SCORES = "u32"
_DTYPES: dict[str, np.dtype[Any]] = {
    "u8": np.dtype("u1"),
    "f16": np.dtype("<f2"),
    SCORES: np.dtype("<u4"),
}
_RANGES = {"u8": "0 to 1", "f16": "-65504 to 65504"}
_SLACK = 1e-5  # a resize may overshoot 0–1 by float32 rounding; more than that is not a probability
_F16_MAX = float(np.finfo(np.float16).max)


def numpy_dtype(dtype: str) -> np.dtype[Any]:
    """Little-endian numpy dtype of a stored dtype's name. Raises `UserError` for an unknown one."""
    if dtype not in _DTYPES:
        raise UserError(f"labels: dtype={dtype!r} is unknown; use one of {', '.join(_DTYPES)}")
    return _DTYPES[dtype]


def encode(maps: NDArray[Any], dtype: str, ids: Sequence[str]) -> NDArray[Any]:
    """Float maps `(n, H, W)` as stored: `u8` is round-half-even of 255 p, `f16` a plain rounding.

    Class scores come as whole numbers (see `labels.scores`) and stay as they are. Raises
    `UserError` naming the image whose map is not finite, or out of range for the dtype.
    """
    if dtype == SCORES:
        return np.asarray(maps).astype(numpy_dtype(dtype))
    values = np.asarray(maps, dtype=np.float32)
    low, high = (-_SLACK, 1 + _SLACK) if dtype == "u8" else (-_F16_MAX, _F16_MAX)
    for name, image in zip(ids, values, strict=True):
        # Written so that NaN, which compares false with everything, fails too.
        if not (image.min() >= low and image.max() <= high):
            raise UserError(
                f"labels: the teacher's map of {name!r} has values from {image.min()} to "
                f"{image.max()}, but {dtype} labels hold {_RANGES[dtype]}; check the teacher's "
                "weights and that it returns the form of map its labels are declared as"
            )
    if dtype == "u8":
        values = np.rint(np.clip(values, 0, 1) * np.float32(255))
    return values.astype(numpy_dtype(dtype))


def decode(stored: NDArray[Any]) -> NDArray[np.float32]:
    """Turn stored maps to float32 of the same shape: 0–1 for u8, log density for f16.

    Class scores become four planes (4, H, W); see `labels.scores.unpacked`.
    """
    if stored.dtype == np.uint32:
        return unpacked(stored)
    values = stored.astype(np.float32)
    if stored.dtype == np.uint8:
        values /= np.float32(255)
    return values
