"""The benchmarks: their images, and what a whole submission consists of.

Sources. MIT300 and CAT2000: saliency.mit.edu/submission_mit300.html and submission_cat2000.html
(maps of the same size and name as the images, CAT2000's in its categories' folders), and the
MIT/Tübingen benchmark that took over: its evaluation code (github.com/matthias-k/saliency-
benchmarking, `models.py`) reads .png, .jpg and .npy from a zip by name without ending, wants the
image's own size, and of a probabilistic model log-densities whose exponentials sum to 1. SALICON:
LSUN'17 challenge, codalab.org/competitions/17136; its page of rules could not be read, and what is
written is the common form, unconfirmed: grey 8-bit PNG of 480x640 named as the images.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UserError

SHOWN = 5
"""Names in a message."""

_CATEGORIES, _OF_EACH = 20, 100


@dataclass(frozen=True)
class Stimulus:
    """One image of a benchmark."""

    path: Path
    name: str
    """Of its map, without ending; `CATEGORY/NUMBER` in CAT2000."""


@dataclass(frozen=True)
class Benchmark:
    """What a benchmark asks for."""

    name: str
    summary: str
    inside: str
    """Folder of its images in the data set as it is unpacked."""
    depth: int
    """Folders between that one and the images."""
    count: int
    names: re.Pattern[str]
    """Of its images, without ending."""
    example: str
    """Names, for messages."""
    size: tuple[int, int] | None = None
    """Height and width of every image; None: they differ."""
    pictures: tuple[str, ...] = (".png", ".jpg")
    """Forms that a map may have, the usual one first."""
    densities: bool = False
    """Whether log-densities are taken."""


BENCHMARKS = {
    found.name: found
    for found in (
        Benchmark(
            name="mit300",
            summary="MIT/Tübingen benchmark, 300 images",
            inside="BenchmarkIMAGES",
            depth=0,
            count=300,
            names=re.compile(r"i([1-9]|[1-9]\d|[12]\d\d|300)"),
            example="i1.jpg to i300.jpg",
            densities=True,
        ),
        Benchmark(
            name="cat2000-test",
            summary="MIT/Tübingen benchmark, 2,000 images in 20 categories",
            inside="testSet/Stimuli",
            depth=1,
            count=_CATEGORIES * _OF_EACH,
            names=re.compile(r"[A-Za-z]+/\d{3}"),
            example="CATEGORY/NUMBER.jpg",
            size=(1080, 1920),
            densities=True,
        ),
        Benchmark(
            name="salicon-test",
            summary="SALICON, LSUN'17 challenge, 5,000 images",
            inside="images/test",
            depth=0,
            count=5_000,
            names=re.compile(r"COCO_test2014_\d{12}"),
            example="COCO_test2014_000000000000.jpg",
            size=(480, 640),
            pictures=(".png",),
        ),
    )
}


def find(benchmark: Benchmark, root: Path) -> list[Stimulus]:
    """The benchmark's images in a data set's root, or in the folder of the images itself, by name.

    Raises `UserError` when there is none, one has a name of no image of the benchmark, or two have
    the same.
    """
    from pipeline.data.images import SUFFIXES

    top = root / benchmark.inside if (root / benchmark.inside).is_dir() else root
    pattern = "/".join(["*"] * (benchmark.depth + 1))
    found = [
        Stimulus(path, path.relative_to(top).with_suffix("").as_posix())
        for path in top.glob(pattern)
        if path.suffix.lower() in SUFFIXES
    ]
    if not found:
        raise UserError(
            f"no image in {top}; give the folder of {benchmark.name}'s images "
            f"({benchmark.example}), or the one that holds {benchmark.inside}"
        )
    _require_names(benchmark, found)
    return sorted(found, key=lambda stimulus: stimulus.name)


def _require_names(benchmark: Benchmark, found: Sequence[Stimulus]) -> None:
    strange = sorted(s.path.name for s in found if not benchmark.names.fullmatch(s.name))
    if strange:
        raise UserError(
            f"{found[0].path.parents[benchmark.depth]} holds {_some(strange)}, no image of "
            f"{benchmark.name} ({benchmark.example}); give the folder of its images alone"
        )
    twice = [name for name, times in Counter(s.name for s in found).items() if times > 1]
    if twice:
        files = ", ".join(str(s.path) for s in found if s.name == twice[0])
        raise UserError(f"images have one name, {twice[0]}: {files}; remove all but one")


def require_whole(benchmark: Benchmark, found: Sequence[Stimulus]) -> None:
    """Raise `UserError`, saying what is missing, unless every image of the benchmark is there."""
    lacking = _lacking(benchmark, found)
    if lacking:
        raise UserError(
            f"{benchmark.name} has {benchmark.count:,} images, here are {len(found):,}: {lacking}; "
            "restore them, or try it out with --partial"
        )


def _lacking(benchmark: Benchmark, found: Sequence[Stimulus]) -> str:
    if benchmark.depth:
        per = Counter(stimulus.name.split("/")[0] for stimulus in found)
        short = [
            f"{name} has {n} of {_OF_EACH}" for name, n in sorted(per.items()) if n != _OF_EACH
        ]
        if len(per) != _CATEGORIES:
            short.insert(0, f"{len(per)} of {_CATEGORIES} categories")
        return _some(short)
    if len(found) == benchmark.count:
        return ""
    if benchmark.name == "mit300":
        there = {stimulus.name for stimulus in found}
        missing = [f"i{n}" for n in range(1, benchmark.count + 1) if f"i{n}" not in there]
        return f"{_some(missing)} missing"
    over = len(found) - benchmark.count
    return f"{abs(over):,} {'too many' if over > 0 else 'missing'}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
