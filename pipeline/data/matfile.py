"""MATLAB 5 files, as far as annotations need them, from bytes that nobody vouches for.

Every size is held against the bytes that are there before anything is allocated, so a damaged file
is a `ValueError`, whatever is wrong with it; SciPy's reader takes down the process on some.
Format: "MAT-File Format", The MathWorks, chapter 1, level 5.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import UserError

MAX_BYTES = 1 << 26
"""Of a whole variable, unpacked; an image's fixations take some hundred kilobytes."""

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT, _CHAR = 1, 2, 4
_NUMERIC = range(6, 16)
_COMPLEX = 0x800
_TYPES = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}
_TEXT = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_DEEPEST = 16
_NAME_BYTES = 512


class Cells(list[Any]):
    """A cell array, its values in the file's order."""


def read(
    data: bytes, wanted: Collection[str], fields: Collection[str]
) -> tuple[dict[str, Any], list[str]]:
    """The `wanted` variables of a file, and the names of all there are.

    Numbers become float64 arrays, texts `str`, struct arrays lists of dicts with those of `fields`
    they have, cell arrays `Cells`. Raises `NotImplementedError` for the HDF5 files of MATLAB 7.3
    and `ValueError` for all else that cannot be read.
    """
    order = _byte_order(data)
    found: dict[str, Any] = {}
    names: list[str] = []
    for kind, content in _elements(memoryview(data)[_HEADER:], order):
        if kind not in (_MATRIX, _COMPRESSED):
            raise ValueError(f"an element of kind {kind} where a variable should be")
        packed = kind == _COMPRESSED
        name = _Matrix.parse(_unpacked(content, order, _NAME_BYTES) if packed else content, order)
        names.append(name.name)
        if name.name in wanted:
            whole = _unpacked(content, order, MAX_BYTES) if packed else content
            found[name.name] = _value(whole, order, fields, 0)
    return found, names


def load(
    path: Path, wanted: Collection[str], fields: Collection[str] = ()
) -> tuple[dict[str, Any], list[str]]:
    """`read` of a fixation file; whatever is wrong with it is a `UserError` that names it."""
    try:
        return read(path.read_bytes(), wanted, fields)
    except FileNotFoundError as error:
        raise UserError(f"fixation file {path} is missing; restore it from the data set") from error
    except OSError as error:
        raise UserError(f"cannot read {path} ({error.strerror}); restore it") from error
    except NotImplementedError as error:
        raise UserError(f"{path} is a MATLAB 7.3 file; save it again with '-v7'") from error
    except ValueError as error:
        raise UserError(
            f"fixation file {path} is damaged or no MATLAB 5 file ({error}); restore it"
        ) from error


@dataclass(frozen=True)
class _Matrix:
    """The head of a matrix element."""

    kind: int
    complex: bool
    count: int
    shape: tuple[int, ...]
    name: str
    rest: memoryview

    @classmethod
    def parse(cls, content: memoryview, order: str) -> _Matrix:
        _, flags, rest = _element(content, order)
        _, sizes, rest = _element(rest, order)
        _, name, rest = _element(rest, order)
        if len(flags) != 8 or len(sizes) < 8 or len(sizes) % 4:
            raise ValueError("a variable's flags or sizes are cut short")
        (word,) = struct.unpack_from(f"{order}I", flags)
        shape = struct.unpack(f"{order}{len(sizes) // 4}i", sizes)
        if min(shape) < 0:
            raise ValueError(f"a variable of the size {shape}")
        text = bytes(name).decode("latin-1")
        return cls(word & 0xFF, bool(word & _COMPLEX), math.prod(shape), shape, text, rest)


def _byte_order(data: bytes) -> str:
    if len(data) < _HEADER:
        raise ValueError(f"{len(data)} bytes are less than a header")
    if data[:10] == b"MATLAB 7.3" or data[:8] == b"\x89HDF\r\n\x1a\n":
        raise NotImplementedError
    order = {b"IM": "<", b"MI": ">"}.get(data[126:128])
    if order is None or struct.unpack_from(f"{order}H", data, 124)[0] != 0x0100:
        raise ValueError("no MATLAB 5 header")
    return order


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    while data:
        kind, content, data = _element(data, order)
        yield kind, content


def _element(data: memoryview, order: str) -> tuple[int, memoryview, memoryview]:
    """Kind and content of the first element, and what follows it."""
    if len(data) < 8:
        raise ValueError("it ends in the middle of an element")
    kind, size = struct.unpack_from(f"{order}2I", data)
    start = 8
    if kind >> 16:  # the short form: size and kind in one word, content in the next
        kind, size, start = kind & 0xFFFF, kind >> 16, 4
        if size > 4:
            raise ValueError("a short element that is not short")
    end = start + size
    if end > len(data):
        raise ValueError("it ends in the middle of an element")
    # All but compressed variables are padded to eight bytes; a last one may leave that out.
    after = end if kind == _COMPRESSED else -(-end // 8) * 8
    return kind, data[start:end], data[after:]


def _unpacked(data: memoryview, order: str, most: int) -> memoryview:
    """The matrix in a compressed variable; at most its first bytes where `most` is smaller."""
    inflate = zlib.decompressobj()
    try:
        content = inflate.decompress(data, most)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    kind, size = struct.unpack_from(f"{order}2I", content.ljust(8, b"\0"))
    if kind != _MATRIX:
        raise ValueError(f"an element of kind {kind} where a variable should be")
    if most <= _NAME_BYTES:
        return memoryview(content)[8:]
    if not inflate.eof or inflate.unused_data or len(content) < 8 + size:
        raise ValueError("a compressed variable is cut short or too large")
    return memoryview(content)[8 : 8 + size]


def _value(content: memoryview, order: str, fields: Collection[str], depth: int) -> Any:
    if not content:
        return np.zeros((0, 0))  # how an empty field is written
    if depth > _DEEPEST:
        raise ValueError("values nested too deep")
    matrix = _Matrix.parse(content, order)
    if matrix.kind == _STRUCT:
        return _structs(matrix, order, fields, depth)
    if matrix.kind == _CELL:
        return Cells(
            _value(part, order, fields, depth + 1)
            for part in _parts(matrix.rest, matrix.count, order)
        )
    if matrix.kind == _CHAR:
        return _text(matrix, order)
    if matrix.kind in _NUMERIC and not matrix.complex:
        return _numbers(matrix, order)
    raise ValueError(f"a value of the class {matrix.kind}, or a complex one")


def _structs(
    matrix: _Matrix, order: str, fields: Collection[str], depth: int
) -> list[dict[str, Any]]:
    _, length, rest = _element(matrix.rest, order)
    _, text, rest = _element(rest, order)
    if len(length) != 4:
        raise ValueError("a struct without the length of its names")
    (width,) = struct.unpack(f"{order}i", length)
    if width < 1 or len(text) % width:
        raise ValueError("a struct with broken names")
    names = [
        bytes(text[start : start + width]).split(b"\0")[0].decode("latin-1")
        for start in range(0, len(text), width)
    ]
    parts = _parts(rest, matrix.count * len(names), order)
    return [
        {
            name: _value(part, order, fields, depth + 1)
            for name, part in zip(names, parts[start : start + len(names)], strict=True)
            if name in fields
        }
        for start in range(0, len(parts), max(1, len(names)))
    ]


def _parts(data: memoryview, count: int, order: str) -> list[memoryview]:
    """The contents of exactly `count` matrices."""
    if count * 8 > len(data):
        raise ValueError(f"{count} values do not fit into {len(data)} bytes")
    parts = [content for kind, content in _elements(data, order) if kind == _MATRIX]
    if len(parts) != count:
        raise ValueError(f"{len(parts)} values where {count} should be")
    return parts


def _numbers(matrix: _Matrix, order: str) -> Any:
    kind, data, _ = _element(matrix.rest, order)
    if kind not in _TYPES:
        raise ValueError(f"numbers of the unknown type {kind}")
    dtype = np.dtype(order + _TYPES[kind])
    if len(data) != matrix.count * dtype.itemsize:
        raise ValueError(f"{len(data)} bytes for {matrix.count} numbers")
    return np.frombuffer(data, dtype).astype(np.float64).reshape(matrix.shape, order="F")


def _text(matrix: _Matrix, order: str) -> str:
    kind, data, _ = _element(matrix.rest, order)
    if kind not in _TEXT:
        raise ValueError(f"text of the unknown type {kind}")
    wide = "" if kind in (1, 2, 16) else "-le" if order == "<" else "-be"
    return bytes(data).decode(_TEXT[kind] + wide)
