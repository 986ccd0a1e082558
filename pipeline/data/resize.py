"""The one named resize, `triangle`: evaluation, training and every app compute exactly this.

A library's "bilinear" differs from the next one's in anti-aliasing, pixel centres and rounding; a
model compared across phones needs one definition that can be written down and tested.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

NAME = "triangle"
"""How manifests and bundles call this resize."""

Array = NDArray[np.float32]

_STRIP = 1 << 24
"""Values that are floats at once."""


@functools.lru_cache(maxsize=16)
def weights(size_in: int, size_out: int) -> Array:
    """The matrix `(size_out, size_in)` float32 that resizes one axis; each row sums to 1.

    With `scale = size_in / size_out`, output pixel `i` has its centre at `c = (i + 0.5) * scale`
    in input coordinates, where input pixel `j` has its centre at `j + 0.5`. The filter is a
    triangle of half-width `s = max(1, scale)`: weight `max(0, 1 - |j + 0.5 - c| / s)`, computed in
    float64 over the pixels that exist, divided by their sum, then rounded to float32. Enlarging is
    thus plain bilinear interpolation; shrinking averages over all pixels that are covered.

    Raises `ValueError` when a size is below 1.
    """
    if size_in < 1 or size_out < 1:
        raise ValueError(f"cannot resize {size_in} pixels to {size_out}; sizes start at 1")
    scale = size_in / size_out
    support = max(1.0, scale)
    centres = (np.arange(size_out, dtype=np.float64)[:, None] + 0.5) * scale
    pixels = np.arange(size_in, dtype=np.float64)[None, :] + 0.5
    rows = np.maximum(0.0, 1.0 - np.abs(pixels - centres) / support)
    matrix: Array = (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)
    matrix.flags.writeable = False  # shared by the cache
    return matrix


def resize(array: NDArray[Any], height: int, width: int) -> Array:
    """Resize `(H, W)` or `(H, W, C)` of any real type to `height` x `width`, float32.

    Two matrix products in float32, `R @ x @ C.T` for each channel, with `R = weights(H, height)`
    applied first and `C = weights(W, width)` second, each sum taken in ascending order of input
    pixels. Values keep their range and are not rounded.

    Raises `ValueError` for other numbers of axes and for empty arrays.
    """
    turned = _turned(array, height, width)
    return np.ascontiguousarray(turned.T if turned.ndim == 2 else turned.transpose(2, 0, 1))


def resize_planes(array: NDArray[Any], height: int, width: int) -> Array:
    """`resize` of `(H, W, C)` as planes `(C, height, width)`, as networks take them."""
    if array.ndim != 3:
        raise ValueError(f"resize_planes takes (H, W, C), not {array.shape}")
    return np.ascontiguousarray(_turned(array, height, width).transpose(1, 2, 0))


@functools.lru_cache(maxsize=256)
def _sparse(size_in: int, size_out: int) -> Any:
    # Rows hold a handful of taps. Unlike a dense product, a sparse one has one order of summation
    # whatever the number of threads, so worker processes give the same bits as the main one.
    return csr_array(weights(size_in, size_out))


def _turned(array: NDArray[Any], height: int, width: int) -> Array:
    """The result as `(width, height)` or `(width, C, height)`, which is how it comes about.

    Between the products the rows are turned as one matrix `(height, W * C)`: moving the two or
    three values of a pixel together takes longer than both products.
    """
    if array.ndim not in (2, 3) or array.size == 0:
        raise ValueError(f"resize takes (H, W) or (H, W, C), not {array.shape}")
    rows = _shrunk_rows(array, height)
    turned = np.ascontiguousarray(rows.reshape(height, -1).T)
    return _apply(turned.reshape(*array.shape[1:], height), width)


def _shrunk_rows(array: NDArray[Any], height: int) -> Array:
    """The first axis resized, in strips of columns: as floats, a large picture fills the memory.

    A column's result depends on that column alone, so the strips change no bit.
    """
    step = max(1, _STRIP // max(1, array[:, :1].size))
    strips = [
        _apply(array[:, start : start + step].astype(np.float32, order="C"), height)
        for start in range(0, array.shape[1], step)
    ]
    return strips[0] if len(strips) == 1 else np.concatenate(strips, axis=1)


def _apply(array: Array, size: int) -> Array:
    """Resize the first axis of a contiguous array."""
    flat = _sparse(array.shape[0], size) @ array.reshape(array.shape[0], -1)
    result: Array = flat.reshape(size, *array.shape[1:])
    return result
