"""MIT1003 and MIT300 (Judd et al., ICCV 2009 and MIT-CSAIL-TR-2012-001), as they are unpacked."""

from __future__ import annotations

from pathlib import Path

from pipeline.data.layouts.listing import holds_images, images, require_split
from pipeline.data.layouts.registry import Splits, layout
from pipeline.data.records import Record
from pipeline.errors import UserError

ALL = "all"
"""The one split of data sets that come without any."""


def _splits(*folders: str) -> Splits:
    def splits(root: Path) -> list[str]:
        there = all((root / folder).is_dir() for folder in folders)
        return [ALL] if there and holds_images(root / folders[0]) else []

    return splits


@layout("mit1003", _splits("ALLSTIMULI", "ALLFIXATIONMAPS", "DATA"))
def mit1003(root: Path, split: str) -> list[Record]:
    """ALLSTIMULI/*.jpeg, ALLFIXATIONMAPS/*_fixMap.jpg and DATA/VIEWER/*.mat (MIT1003).

    Fixations are found in the viewers' own samples as the authors find them, with repeats; the
    first one of each viewer, on the cross before the picture, is left out.
    """
    require_split(split, (ALL,), "mit1003")
    found = images(root, "ALLSTIMULI", "mit1003")
    viewers = sorted(p for p in (root / "DATA").glob("*") if p.is_dir())
    if not viewers:
        raise UserError(
            f"no viewer's folder in {root / 'DATA'}; restore DATA, or use mit1003_points"
        )
    return [
        Record(
            image.stem,
            image,
            root / "ALLFIXATIONMAPS" / f"{image.stem}_fixMap.jpg",
            viewers[0] / f"{image.stem}.mat",
            reader="mit1003",
            others=tuple(viewer / f"{image.stem}.mat" for viewer in viewers[1:]),
        )
        for image in found
    ]


@layout("mit1003_points", _splits("ALLSTIMULI", "ALLFIXATIONMAPS"), general=1)
def mit1003_points(root: Path, split: str) -> list[Record]:
    """ALLSTIMULI/*.jpeg, ALLFIXATIONMAPS/*_fixMap.jpg and *_fixPts.jpg (MIT1003 without DATA).

    Fixations are the pixels above one half of `_fixPts.jpg`, as the FastSal authors take them: JPEG
    is not exact, and repeats are lost.
    """
    require_split(split, (ALL,), "mit1003_points")
    maps = root / "ALLFIXATIONMAPS"
    return [
        Record(
            image.stem,
            image,
            maps / f"{image.stem}_fixMap.jpg",
            maps / f"{image.stem}_fixPts.jpg",
            reader="points",
        )
        for image in images(root, "ALLSTIMULI", "mit1003_points")
    ]


@layout("mit300", _splits("BenchmarkIMAGES"))
def mit300(root: Path, split: str) -> list[Record]:
    """The images BenchmarkIMAGES/*.jpg alone (MIT300: their fixations are the benchmark's)."""
    require_split(split, (ALL,), "mit300")
    return [Record(image.stem, image) for image in images(root, "BenchmarkIMAGES", "mit300")]
