"""What a data set consists of, where its publisher keeps it, and under which terms."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipeline.errors import UserError


@dataclass(frozen=True)
class Archive:
    """One file of a publisher, and the one folder of a data root that it fills."""

    part: str
    """Its name for `--only`."""
    file: str
    """The archive's own name, under which it is kept and looked for."""
    url: str
    into: str
    """The folder below the root that holds its content, and nothing else."""
    top: str
    """The folder inside the archive that becomes `into`; where there is none, its root does."""
    suffix: str
    """What its files end with: an archive without any such file is another one."""
    size: int | None = None
    """Exact bytes, where they are known."""
    md5: str | None = None
    sha256: str | None = None
    by_hand: str = ""
    """Why no program can fetch it, where none can."""
    about: str = ""
    """Its size in the publisher's words, where the exact one is not known."""

    def __post_init__(self) -> None:
        if PurePosixPath(self.into).name != self.into or self.into.startswith("."):
            raise ValueError(f"{self.part}: {self.into!r} is not one visible folder")


@dataclass(frozen=True)
class Source:
    """A data set as published."""

    name: str
    """What `fovea data add` would call it."""
    title: str
    page: str
    """Where people read about it and download it."""
    terms: str
    """Licence or terms, as far as they are known."""
    archives: tuple[Archive, ...]

    def __post_init__(self) -> None:
        for names in (
            [archive.part for archive in self.archives],
            [archive.file for archive in self.archives],
            [archive.into for archive in self.archives],
        ):
            if len(set(names)) != len(names):
                raise ValueError(f"{self.name}: archives share a name: {names}")

    def chosen(self, parts: Sequence[str]) -> tuple[Archive, ...]:
        """The archives called `parts`, all of them where none is named.

        Raises `UserError` for a part that the data set does not have, with the nearest one.
        """
        known = {archive.part: archive for archive in self.archives}
        for part in parts:
            if part not in known:
                near = difflib.get_close_matches(part, known, n=1, cutoff=0.0)[0]
                raise UserError(
                    f"{self.name} has no part {part!r}; did you mean {near!r}? "
                    f"Its parts are {', '.join(known)}"
                )
        return tuple(a for a in self.archives if a.part in parts) if parts else self.archives


_SOURCES: dict[str, Source] = {}


def register(source: Source) -> Source:
    """Make `source` known under its name."""
    if source.name in _SOURCES:
        raise ValueError(f"source {source.name!r} is registered twice")
    _SOURCES[source.name] = source
    return source


def names() -> list[str]:
    """Every data set that can be fetched, sorted."""
    return sorted(_SOURCES)


def get(name: str) -> Source:
    """The data set called `name`; `UserError` with the nearest one when there is none."""
    if name not in _SOURCES:
        near = difflib.get_close_matches(name, _SOURCES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise UserError(
            f"fetch knows no data set called {name!r}{hint} It knows {', '.join(names())}; "
            "any other is registered where it lies: fovea data add NAME PATH"
        )
    return _SOURCES[name]
