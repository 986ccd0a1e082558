"""Grey PNG files of smooth maps, in half the time of a general encoder.

Every row is stored as its difference from the row above (PNG's filter 2): smooth maps change
little from row to row, so neither trying all five filters nor searching for long matches pays.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP = 2
_GREY = 0


def encode(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """A PNG file of `pixels` (H, W), 8 or 16 bits deep as they are.

    Raises `ValueError` for other shapes and types.
    """
    if pixels.ndim != 2 or pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"a grey PNG holds (H, W) uint8 or uint16, not {pixels.dtype}")
    height, width = pixels.shape
    depth = pixels.dtype.itemsize
    stored = np.ascontiguousarray(pixels, dtype=f">u{depth}")  # PNG is big-endian
    plain = stored.view(np.uint8).reshape(height, width * depth)
    rows = np.empty((height, 1 + width * depth), np.uint8)
    rows[:, 0] = _UP
    rows[0, 1:] = plain[0]
    np.subtract(plain[1:], plain[:-1], out=rows[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8 * depth, _GREY, 0, 0, 0)
    packer = zlib.compressobj(1, strategy=zlib.Z_RLE)
    data = packer.compress(rows.data) + packer.flush()
    return b"".join(
        [_SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", data), _chunk(b"IEND", b"")]
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(data, zlib.crc32(kind))
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
