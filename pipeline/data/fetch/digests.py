"""Digests: those that are published, and those of the archives seen first, remembered ever after.

An archive whose digest nobody publishes is trusted the first time. What was seen then is kept per
address in `digests.json` of the user's configuration folder, and every later one must be the same.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.data import roots
from pipeline.data.fetch.progress import Progress
from pipeline.data.fetch.sources import Archive
from pipeline.errors import UserError
from pipeline.files import read_json, write_json

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Digest:
    """What a file is."""

    sha256: str
    md5: str
    size: int


@dataclass(frozen=True)
class Expected:
    """What an archive ought to be."""

    algorithm: str
    value: str
    size: int | None
    """Bytes, where they are known."""
    whose: str
    """Where this comes from, in words."""

    def holds(self, found: Digest) -> bool:
        """Whether `found` is that."""
        return bool(getattr(found, self.algorithm) == self.value)

    def shown(self, found: Digest) -> str:
        """Both digests in words."""
        name = self.algorithm.upper()
        return f"{name} {getattr(found, self.algorithm)}, but {self.whose} is {self.value}"


def measure(path: Path, progress: Progress) -> Digest:
    """Read a file once, for all its digests."""
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    try:
        progress.begin(0, path.stat().st_size)
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                sha256.update(chunk)
                md5.update(chunk)
                size += len(chunk)
                progress(len(chunk))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
    return Digest(sha256.hexdigest(), md5.hexdigest(), size)


def expected(archive: Archive) -> Expected | None:
    """What is known of `archive`; `None` when it is to be trusted on first sight.

    What this user trusted comes first: either nothing is published, or they chose to.
    """
    if archive.url in (record := _read()):
        entry = record[archive.url]
        whose = f"the one trusted on {entry['date']}"
        return Expected("sha256", entry["sha256"], entry["size"], whose)
    if archive.sha256:
        return Expected("sha256", archive.sha256, archive.size, "the published one")
    if archive.md5:
        return Expected("md5", archive.md5, archive.size, "the published one")
    return None


def trust(archive: Archive, found: Digest) -> None:
    """Remember `found` as what `archive` is from now on."""
    today = datetime.now(UTC).date().isoformat()
    entry = {"sha256": found.sha256, "size": found.size, "date": today}
    write_json(_file(), _read() | {archive.url: entry})


def _file() -> Path:
    return roots.config_folder() / "digests.json"


def _read() -> dict[str, dict[str, Any]]:
    path = _file()
    content = read_json(path) if path.is_file() else {}
    if not isinstance(content, dict) or not all(_entry(value) for value in content.values()):
        raise UserError(f"{path} is not a list of digests; remove it to trust archives anew")
    return content


def _entry(value: object) -> bool:
    wanted = {"sha256": str, "date": str, "size": int}
    return isinstance(value, dict) and all(isinstance(value.get(k), t) for k, t in wanted.items())
