"""Runs of the whole flow, and what they leave."""

from __future__ import annotations

from pathlib import Path

from pipeline.data.fetch import Archive, Options, Source, fetch
from pipeline.data.fetch.download import Policy
from tests.data.fetch.archives import images, zipped
from tests.data.fetch.server import Server

IMPATIENT = Policy(attempts=1, step=10**9)


class Said(list[str]):
    """What a run said."""

    def __call__(self, line: str) -> None:
        self.append(line)


def run(source: Source, root: Path, **options: object) -> tuple[list[bool], Said]:
    """Fetch; which parts are fresh, and what was said."""
    said = Said()
    parts = fetch(source, root, Options(policy=IMPATIENT, **options), said)
    return [part.fresh for part in parts], said


def tree(root: Path) -> dict[str, bytes]:
    """Every file but the record of what was fetched."""
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in root.rglob("*")
        if p.is_file() and p.parent != root / ".fetch"
    }


def kept(root: Path) -> set[str]:
    """What lies in `.fetch`."""
    return {p.name for p in (root / ".fetch").iterdir()}


def two_parts(server: Server) -> Source:
    """A data set of two archives, `first` and `second`."""
    archives = [
        Archive(name, f"{name}.zip", server.url(f"{name}.zip"), name, name, ".jpg")
        for name in ("first", "second")
    ]
    for name in ("first", "second"):
        server.serve(f"{name}.zip", zipped(images(top=name)))
    return Source("toy", "Toy", "http://example.org", "none", tuple(archives))
