"""What scanners share: files of a folder, and where a folder is that is not where it should be."""

from __future__ import annotations

from pathlib import Path

from pipeline.data.images import SUFFIXES
from pipeline.data.layouts.registry import Splits, fitting, get
from pipeline.errors import UserError

_UNLABELLED = ("coco", "folder", "mit300")


def annotated_splits(*parents: str) -> Splits:
    """Folders with images below the first of `parents`, of a root that has all of them."""

    def splits(root: Path) -> list[str]:
        if not all((root / parent).is_dir() for parent in parents):
            return []
        return sorted(p.name for p in (root / parents[0]).iterdir() if holds_images(p))

    return splits


def images(root: Path, inside: str, layout: str) -> list[Path]:
    """Images right in a folder of a root; `UserError` when there is no such folder, or none."""
    found = folder(root, inside, layout)
    files = [file for file in found.iterdir() if file.suffix.lower() in SUFFIXES]
    if not files:
        raise UserError(f"no image in {found}; layout {layout} is {get(layout).shape}")
    return files


def folder(root: Path, inside: str, layout: str) -> Path:
    """The folder `inside` a root; `UserError` saying what the root is instead."""
    found = root / inside
    if found.is_dir():
        return found
    raise UserError(
        f"no folder {inside} in {root}; layout {layout} is {get(layout).shape}"
        f"{_way_out(root, inside, layout)}"
    )


def require_split(split: str, known: tuple[str, ...], layout: str) -> None:
    """Raise `UserError` unless `split` is one of those a layout has."""
    if split not in known:
        raise UserError(f"layout {layout} has no split {split!r}; it has {', '.join(known)}")


def by_stem(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Files by name without suffix; none where the folder is missing."""
    if not folder.is_dir():
        return {}
    return {f.stem: f for f in folder.iterdir() if f.suffix.lower() in suffixes}


def holds_images(folder: Path) -> bool:
    """Whether an image lies right in `folder`."""
    return folder.is_dir() and any(f.suffix.lower() in SUFFIXES for f in folder.iterdir())


def _way_out(root: Path, inside: str, layout: str) -> str:
    """Where the folder is, or what else the root could be."""
    near = [c for c in [root.parent, *sorted(root.iterdir())] if (c / inside).is_dir()]
    if near:
        return f"; it is in {' and in '.join(str(c) for c in near[:3])}: give that"
    fits = fitting(root)
    if layout in fits:
        return f"; its splits are {', '.join(fits[layout])}"
    if layout not in _UNLABELLED:
        fits.pop("folder", None)  # what lacks its images may still hold maps
    if not fits:
        return ""
    name, splits = next(iter(fits.items()))
    return (
        f"; it lies as layout {name} does (splits {', '.join(splits)}): choose that layout, or "
        "the right root"
    )
