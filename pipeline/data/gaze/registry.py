"""The registered readers of fixations: a record names the one that its files need."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.data.fixations import Fixations
from pipeline.data.records import Record

Reader = Callable[[Record], Fixations]

_READERS: dict[str, Reader] = {}


def reader(name: str) -> Callable[[Reader], Reader]:
    """Register the decorated reader under `name`; it raises `UserError` for damaged files."""

    def add(read: Reader) -> Reader:
        if name in _READERS:
            raise ValueError(f"reader {name!r} is registered twice")
        _READERS[name] = read
        return read

    return add


def read(record: Record) -> Fixations:
    """The fixations of a record that has some.

    Raises `UserError`, naming the file, when it is missing, damaged, or does not hold them.
    """
    return _READERS[record.reader](record)


def file_of(record: Record) -> Path:
    """The file of a record's fixations."""
    assert record.fixations is not None
    return record.fixations
