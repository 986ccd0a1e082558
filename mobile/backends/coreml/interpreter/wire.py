"""Protobuf's wire format, as far as a model specification needs it.

Reading it here spares the import of a converter, which takes longer than reading and running the
model. Field numbers are those of Core ML's published `Model.proto` and `MIL.proto`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


class Message:
    """Fields of one message by number; `ValueError` for bytes that are none."""

    def __init__(self, data: bytes) -> None:
        self._fields: dict[int, list[int | bytes]] = {}
        for number, value in _fields(data):
            self._fields.setdefault(number, []).append(value)

    def __contains__(self, number: int) -> bool:
        return number in self._fields

    def message(self, number: int) -> Message:
        """A message inside, empty where there is none."""
        return Message(self.bytes(number))

    def messages(self, number: int) -> list[Message]:
        """All messages of a repeated field."""
        return [Message(_bytes(value)) for value in self._fields.get(number, [])]

    def bytes(self, number: int) -> bytes:
        """Bytes, empty where there are none."""
        return _bytes(self._fields.get(number, [b""])[-1])

    def text(self, number: int) -> str:
        """A string."""
        return self.bytes(number).decode()

    def texts(self, number: int) -> list[str]:
        """All strings of a repeated field."""
        return [_bytes(value).decode() for value in self._fields.get(number, [])]

    def integer(self, number: int) -> int:
        """A number, 0 where there is none."""
        value = self._fields.get(number, [0])[-1]
        if not isinstance(value, int):
            raise ValueError(f"field {number} is no number")  # noqa: TRY004
        return value

    def integers(self, number: int) -> list[int]:
        """A repeated field of signed integers or truth values, packed or not."""
        found: list[int] = []
        for value in self._fields.get(number, []):
            found += [value] if isinstance(value, int) else list(_varints(value))
        return [value - (1 << 64) if value >> 63 else value for value in found]

    def floats(self, number: int, kind: Any) -> npt.NDArray[Any]:
        """A repeated field of little-endian `kind` numbers, packed or not."""
        return np.frombuffer(b"".join(map(_bytes, self._fields.get(number, []))), kind)

    def map(self, number: int) -> Iterator[tuple[str, Message]]:
        """Entries of a map from strings to messages."""
        for entry in self.messages(number):
            yield entry.text(1), entry.message(2)


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where bytes should be")  # noqa: TRY004
    return value


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        length = {_EIGHT: 8, _FOUR: 4}.get(kind, -1)
        if kind == _BYTES:
            length, at = _varint(data, at)
        if length < 0 or at + length > len(data):
            raise ValueError(f"field {number} ends after its message")
        yield number, data[at : at + length]
        at += length


def _varints(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("a number without an end")
