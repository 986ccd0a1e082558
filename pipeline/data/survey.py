"""What lies in a folder that is said to be a data set, and everything wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.data import layouts, records
from pipeline.data.agree import examine
from pipeline.data.editions import recognise
from pipeline.data.layouts import Record
from pipeline.data.threads import in_threads
from pipeline.errors import UserError


@dataclass(frozen=True)
class Survey:
    """A data set as it lies."""

    layout: str
    splits: dict[str, int]
    """Images per split."""
    problems: list[str]
    """One line each: which file, what is wrong with it, what to do."""
    edition: str | None = None
    """Of data sets that have editions: which, and what tells it."""


def survey(
    path: Path,
    layout: str | None = None,
    on_image: Callable[[int], None] | None = None,
    *,
    decode: bool = False,
) -> Survey:
    """Look through every split of the data set in `path`.

    Reads the headers of images and maps, the ends of JPEG and PNG files, and fixation files whole;
    `decode` decodes every image and map as well. Without `layout`, the most particular one that
    fits is taken. `on_image` is told how many more images were looked at.

    Raises `UserError` when `path` is no folder, is empty, or lies in no known layout.
    """
    root = path.expanduser()
    layouts.require_root(root)
    name, splits = _recognised(root, layout)
    counts: dict[str, int] = {}
    problems: list[str] = []
    edition = None
    for split in splits:
        try:
            found = layouts.listed(name, root, split)
        except UserError as error:
            counts[split] = 0
            problems.append(str(error))
            continue
        counts[split] = len(found)
        edition = edition or _edition(name, found)
        problems += records.missing(found) + records.repeated(found)
        problems += _read(found, on_image, decode)
    return Survey(name, counts, problems, edition)


def _edition(layout: str, found: list[Record]) -> str | None:
    known = layouts.get(layout)
    if known.fixed:
        return str(known.edition)
    sign = recognise(found) if known.edition is not None else None
    return f"{sign.edition} ({sign.why})" if sign else None


def _recognised(root: Path, layout: str | None) -> tuple[str, list[str]]:
    """Layout and splits of `root`."""
    if layout is None:
        fits = layouts.fitting(root)
        if fits:
            return next(iter(fits.items()))
        known = "; ".join(f"{name}: {layouts.get(name).shape}" for name in layouts.names())
        raise UserError(f"{root} lies in no known layout and holds no image. Known are {known}")
    chosen = layouts.get(layout)
    splits = chosen.splits(root) if chosen.splits else list(_tried(chosen, root))
    if not splits:
        fits = layouts.fitting(root)
        hint = f"; it lies as layout {next(iter(fits))} does: choose that" if fits else ""
        raise UserError(f"{root} does not lie as layout {layout} does: {chosen.shape}{hint}")
    return layout, splits


def _tried(layout: layouts.Layout, root: Path) -> Iterator[str]:
    """Splits of a layout that cannot tell them: the folders it finds images in."""
    for folder in sorted(p for p in root.iterdir() if p.is_dir()):
        try:
            if layout.scan(root, folder.name):
                yield folder.name
        except UserError:
            continue


def _read(
    found: list[Record], on_image: Callable[[int], None] | None, decode: bool
) -> Iterator[str]:
    for findings in in_threads(partial(examine, decode=decode), found):
        yield from findings.faults
        yield from findings.remarks
        if on_image is not None:
            on_image(1)
