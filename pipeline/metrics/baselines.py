"""What an image's fixations are measured against: those on all other images, and the centre bias.

Made once per evaluation set and kept in one file, so that every predictor, whether in torch or
exported, is measured against the same.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.errors import UserError
from pipeline.files import atomic_path
from pipeline.metrics.auc import Negatives
from pipeline.metrics.centre_bias import Fit, fit, log_density
from pipeline.metrics.points import Points

Floats = NDArray[np.float64]

ELSEWHERE = "training images"
LEFT_OUT = "the other evaluation images"
_FORMAT = 1


@dataclass(frozen=True)
class About:
    """Where the centre bias comes from."""

    source: str
    """`ELSEWHERE`, or `LEFT_OUT` where those have no fixations: each image from all others."""
    images: int
    """With fixations."""
    fixations: int
    fit: Fit

    def __str__(self) -> str:
        return (
            f"the fixations on {self.images} images ({self.source}), blurred by "
            f"{self.fit.bandwidth:g} of each side"
        )


@dataclass(frozen=True)
class Baselines:
    """Of an evaluation set, by image."""

    images: Mapping[str, Points]
    """Fixations, by id."""
    centre: Mapping[str, Floats] | None
    """Log density of the centre bias, in nats, at each fixated pixel; None where there is none."""
    about: About | None

    def others(self, image: str) -> Negatives | None:
        """Fixations on all other images at this image's size; None where there are none at all.

        Raises `UserError` for an image that is not of the set.
        """
        own = self._of(image)
        if self._watched < 2:
            return None
        pixel, repeats = self._all(own.height, own.width)
        left = repeats.copy()
        left[np.searchsorted(pixel, own.pixels(own.height, own.width))] -= own.repeats
        return Negatives(torch.from_numpy(pixel), torch.from_numpy(left))

    def baseline(self, image: str) -> Tensor | None:
        """Log density `(H, W)` of the centre bias where the image was fixated, NaN elsewhere.

        Nobody asks elsewhere, and to keep whole densities of a set would take gigabytes.
        """
        own = self._of(image)
        if self.centre is None:
            return None
        grid = torch.full((own.height * own.width,), torch.nan, dtype=torch.float64)
        places = torch.from_numpy(own.pixels(own.height, own.width))
        grid[places] = torch.from_numpy(self.centre[image])
        return grid.reshape(own.height, own.width)

    def write(self, path: Path) -> None:
        """One `.npz`, whole or not at all; equal baselines give equal bytes."""
        points = list(self.images.values())
        centre = [] if self.centre is None else [self.centre[image] for image in self.images]
        about = None if self.about is None else asdict(self.about)
        with atomic_path(path) as temporary, temporary.open("wb") as stream:
            np.savez_compressed(
                stream,
                about=np.array(json.dumps({"format": _FORMAT, "centre": about}, sort_keys=True)),
                ids=np.array(list(self.images)),
                sizes=np.array([(p.height, p.width) for p in points], np.int32).reshape(-1, 2),
                lengths=np.array([len(p.rows) for p in points], np.int64),
                rows=_joined([p.rows for p in points], np.int32),
                columns=_joined([p.columns for p in points], np.int32),
                repeats=_joined([p.repeats for p in points], np.int32),
                log_density=_joined(centre, np.float64),
            )

    @classmethod
    def read(cls, path: Path) -> Baselines:
        """What `write` wrote. Raises `UserError` for a missing or damaged file."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                return _parsed({name: stored[name] for name in stored.files})
        except FileNotFoundError as error:
            raise UserError(f"{path} is missing; run `dvc repro evaluate`") from error
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError) as error:
            raise UserError(f"{path} is damaged ({error}); run `dvc repro -f evaluate`") from error

    def _of(self, image: str) -> Points:
        if image not in self.images:
            raise UserError(f"no baselines of image {image}; run `dvc repro evaluate`")
        return self.images[image]

    @cached_property
    def _watched(self) -> int:
        return len(_fixated(self.images.values()))

    @cached_property
    def _pooled(self) -> list[Points]:
        return pooled(self.images.values())

    @cached_property
    def _sizes(self) -> dict[tuple[int, int], tuple[NDArray[np.int64], NDArray[np.int64]]]:
        return {}

    def _all(self, height: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pixels fixated in any image, increasing, and how often."""
        known = self._sizes
        if (height, width) not in known:
            if len(known) >= _KEPT_SIZES:
                known.pop(next(iter(known)))
            grid = counted(self._pooled, height, width).ravel()
            pixel = np.flatnonzero(grid)
            known[height, width] = (pixel, grid[pixel])
        return known[height, width]


_KEPT_SIZES = 8


def build(
    images: Mapping[str, Points],
    elsewhere: Iterable[Points] = (),
    on_image: Callable[[], None] = lambda: None,
) -> Baselines:
    """Baselines of an evaluation set, its centre bias fitted on images `elsewhere`.

    Where fewer than two of those have fixations, each image's comes from all other images of the
    set; where fewer than two of the set do, there is none. `on_image` is called for each image.
    """
    sources = {ELSEWHERE: _fixated(elsewhere), LEFT_OUT: _fixated(images.values())}
    source = next((name for name, given in sources.items() if len(given) >= 2), None)
    if source is None:
        return Baselines(images, None, None)
    given = sources[source]
    pool, found = pooled(given), fit(given)
    about = About(source, len(given), sum(points.total for points in given), found)
    whole: dict[tuple[int, int], Tensor] = {}
    centre = {}
    for image, points in sorted(images.items(), key=lambda item: (item[1].height, item[1].width)):
        size = (points.height, points.width)
        if source == LEFT_OUT:
            grid = (counted(pool, *size) - points.counts(*size)).astype(np.float64)
            whole = {size: log_density(grid, found.bandwidth, found.uniform)}
        elif size not in whole:  # images come by size: one density is kept
            grid = counted(pool, *size).astype(np.float64)
            whole = {size: log_density(grid, found.bandwidth, found.uniform)}
        centre[image] = whole[size].numpy().ravel()[points.pixels(*size)]
        on_image()
    return Baselines(images, centre, about)


def _fixated(images: Iterable[Points]) -> list[Points]:
    return [points for points in images if len(points.rows)]


def pooled(images: Iterable[Points]) -> list[Points]:
    """The fixations of all images of one size as one, for every size: nothing of them is lost."""
    grids: dict[tuple[int, int], NDArray[np.int64]] = {}
    for points in images:
        size = (points.height, points.width)
        if size not in grids:
            grids[size] = np.zeros(size, np.int64)
        grids[size][points.rows, points.columns] += points.repeats
    return [Points.from_counts(grid) for grid in grids.values()]


def counted(images: Iterable[Points], height: int, width: int) -> NDArray[np.int64]:
    """Fixations of all images per pixel `(height, width)`."""
    grid = np.zeros((height, width), np.int64)
    for points in images:
        grid += points.counts(height, width)
    return grid


def _joined(arrays: Sequence[NDArray[Any]], dtype: type) -> NDArray[Any]:
    joined: NDArray[Any] = np.concatenate([*arrays, np.zeros(0)]).astype(dtype)
    return joined


def _parsed(stored: dict[str, NDArray[Any]]) -> Baselines:
    about = json.loads(str(stored["about"]))
    if about["format"] != _FORMAT:
        raise ValueError(f"its format is {about['format']}, not {_FORMAT}")
    ids = [str(image) for image in stored["ids"]]
    if not ids:  # a task that is not about fixations
        return Baselines({}, None, None)
    cuts = np.cumsum(stored["lengths"])[:-1]
    columns = [
        np.split(stored[name].astype(np.int64), cuts) for name in ("rows", "columns", "repeats")
    ]
    images = {
        image: Points(rows, cols, repeats, int(height), int(width))
        for image, rows, cols, repeats, (height, width) in zip(
            ids, *columns, stored["sizes"], strict=True
        )
    }
    if about["centre"] is None:
        return Baselines(images, None, None)
    found = About(**about["centre"] | {"fit": Fit(**about["centre"]["fit"])})
    centre = dict(zip(ids, np.split(stored["log_density"], cuts), strict=True))
    return Baselines(images, centre, found)
