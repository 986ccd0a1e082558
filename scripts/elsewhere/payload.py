"""Many files as a few small ones: compressed one by one, strung together, cut into parts.

Parts are named `results.000`, `results.001`, …; an index gives each file's place in the whole.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipeline.errors import UserError
from pipeline.files import atomic_path, sha256_file

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Part:
    """One piece of the whole."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Stored:
    """One file inside the whole."""

    path: str
    bytes: int
    sha256: str
    offset: int
    stored: int
    """Compressed bytes."""


class Writer:
    """Appends files to a stream of at most `room` bytes."""

    def __init__(self, stream: IO[bytes], room: int) -> None:
        self.stream, self.room = stream, room
        self.files: list[Stored] = []

    def add(self, sources: Sequence[tuple[str, Path]]) -> bool:
        """Append files by name, all of them or, when they do not fit, none."""
        start, before = self.stream.tell(), len(self.files)
        for name, source in sources:
            if not self._append(name, source):
                self.stream.seek(start)
                self.stream.truncate()
                del self.files[before:]
                return False
        return True

    def _append(self, name: str, source: Path) -> bool:
        start, size, digest, packer = self.stream.tell(), 0, hashlib.sha256(), zlib.compressobj(6)
        with source.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                digest.update(chunk)
                self.stream.write(packer.compress(chunk))
                if self.stream.tell() > self.room:
                    return False
        self.stream.write(packer.flush())
        end = self.stream.tell()
        self.files.append(Stored(name, size, digest.hexdigest(), start, end - start))
        return end <= self.room


def split(stream: IO[bytes], folder: Path, part_bytes: int) -> list[Part]:
    """Cut `stream` into parts in `folder`."""
    stream.seek(0)
    parts: list[Part] = []
    while data := stream.read(part_bytes):
        name = f"results.{len(parts):03d}"
        with atomic_path(folder / name) as temporary:
            temporary.write_bytes(data)
        parts.append(Part(name, len(data), hashlib.sha256(data).hexdigest()))
    return parts


def join(folder: Path, parts: Sequence[Part], stream: IO[bytes]) -> None:
    """Write the verified parts to `stream`, in order.

    Raises `UserError` naming the first part that is missing or not as it was written.
    """
    for part in parts:
        path = folder / part.name
        if not path.is_file():
            raise UserError(f"{path} is missing; copy it from the other machine's results")
        if path.stat().st_size != part.bytes or sha256_file(path) != part.sha256:
            raise UserError(
                f"{path} is corrupted (its SHA-256 is not the one in results.json); "
                "copy it again from the other machine"
            )
        stream.write(path.read_bytes())


def extract(stream: IO[bytes], file: Stored, target: Path) -> None:
    """Write one file of the joined stream to `target`.

    Raises `UserError` when its content is not what the index states.
    """
    stream.seek(file.offset)
    left, digest, unpacker = file.stored, hashlib.sha256(), zlib.decompressobj()
    target.parent.mkdir(parents=True, exist_ok=True)
    damaged = UserError(f"{file.path} does not come out as it was packed; collect it again")
    with target.open("wb") as out:
        while chunk := stream.read(min(_CHUNK, left)):
            left -= len(chunk)
            try:
                data = unpacker.decompress(chunk)
            except zlib.error as error:
                raise damaged from error
            digest.update(data)
            out.write(data)
    if digest.hexdigest() != file.sha256:
        raise damaged
