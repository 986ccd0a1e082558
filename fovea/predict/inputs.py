"""Which photographs are meant, and where the results of each go: no two to the same place."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UserError

OVERLAY = ".overlay.jpg"
MAP = ".map.png"
LOGITS = ".logits.npy"
CLASSES = ".classes.json"
ENDINGS = (OVERLAY, MAP, LOGITS, CLASSES)
"""What a result's name ends in; such files are never taken for photographs in a folder."""


@dataclass(frozen=True)
class Photo:
    """One photograph and the place of its results."""

    path: Path
    place: Path
    """Below the output folder, without ending: `holiday/beach` for `holiday/beach.jpg`."""


def photos(inputs: Sequence[Path], out: Path) -> list[Photo]:
    """All photographs of `inputs`: files as given, folders with everything below them.

    A folder's own folders are kept below `out`. Each file counts once. Results whose places would
    be the same get longer ones: the ending (`beach.png` beside `beach.jpg`), then the folders.
    Raises `UserError` for an input that does not exist and for a folder without photographs.
    """
    named: dict[Path, Path] = {}
    found: dict[Path, Path] = {}
    for given in inputs:
        for path, short in _expand(given, out):
            named.setdefault(path.resolve(), path)
            found.setdefault(path.resolve(), short)
    return [Photo(named[file], place) for file, place in _places(found).items()]


def _expand(given: Path, out: Path) -> Iterator[tuple[Path, Path]]:
    if given.is_dir():
        files = list(_below(given, out))
        if not files:
            raise UserError(f"no photograph ({', '.join(_suffixes())}) in {given} or below it")
        yield from ((file, file.relative_to(given)) for file in files)
    elif given.exists():
        yield given, Path(given.name)
    else:
        raise UserError(f"{given} does not exist; give photographs, folders, or - for stdin")


def _below(folder: Path, out: Path) -> Iterator[Path]:
    """Photographs below `folder` by name, hidden ones and our own results left out."""
    results = out.resolve()
    for top, folders, files in os.walk(folder):
        here = Path(top)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and (here / name).resolve() != results
        )
        for name in sorted(files):
            hidden = name.startswith(".") or name.endswith(ENDINGS)
            if not hidden and Path(name).suffix.lower() in _suffixes():
                yield here / name


def _suffixes() -> tuple[str, ...]:
    from pipeline.data.images import SUFFIXES

    return SUFFIXES


def _places(found: dict[Path, Path]) -> dict[Path, Path]:
    """A place of its own for every file: the short one where it is unique."""
    places = {file: short.with_suffix("") for file, short in found.items()}
    for clash in _clashes(places):  # beach.jpg and beach.png
        places |= {file: found[file] for file in clash}
    for clash in _clashes(places):  # one/beach.jpg and two/beach.jpg
        above = Path(os.path.commonpath([file.parent for file in clash]))
        places |= {file: file.relative_to(above) for file in clash}
    for clash in _clashes(places):  # names that differ in case alone, and odder ones
        places |= {f: p.with_name(f"{p.name}~{n}") for n, (f, p) in enumerate(clash.items(), 1)}
    return places


def _clashes(places: dict[Path, Path]) -> list[dict[Path, Path]]:
    """Groups of files that share a place, on file systems that ignore case as well."""
    groups: dict[str, dict[Path, Path]] = defaultdict(dict)
    for file, place in places.items():
        groups[place.as_posix().casefold()][file] = place
    return [group for group in groups.values() if len(group) > 1]
