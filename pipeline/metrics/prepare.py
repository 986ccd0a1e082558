"""Maps made ready for scoring: checked, flat, with what several metrics ask of them asked once.

Images are prepared one by one, also those of a batch: at their own resolution one of them fills a
processor's cache. Sums run in float64; what is small is left to Python and numpy, whose calls cost
less than the work.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.errors import UserError
from pipeline.metrics.ranks import Ranks, ranks
from pipeline.metrics.sparse import places

Fixations = Literal["repeats", "unique"]
Values = NDArray[np.floating]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Map:
    """A finite map."""

    given: Tensor
    """`(H*W,)` float32 or float64, for what asks of their order alone."""
    low: float
    """Smallest value."""
    high: float
    """Largest value."""

    @cached_property
    def values(self) -> Tensor:
        """The same in float64, for what sums."""
        return self.given.double()

    @property
    def constant(self) -> bool:
        """Whether all values are equal.

        Exact, where a standard deviation of 0 is not: rounding leaves 1e-17 of a constant map.
        """
        return self.low == self.high

    @property
    def massless(self) -> bool:
        """Whether nothing is there to normalise: no value above 0 or, if lower, the least."""
        return self.high <= min(self.low, 0.0)

    @cached_property
    def total(self) -> float:
        """Sum of the values."""
        return float(self.values.sum())

    @property
    def mean(self) -> float:
        """Mean of the values."""
        return self.total / len(self.given)

    @cached_property
    def norm(self) -> float:
        """Euclidean norm of the values less their mean."""
        return math.sqrt(max(self.product(self), 0.0))

    def product(self, other: Map) -> float:
        """Inner product with another map, each less its mean."""
        if self._far or other._far:
            return float(torch.dot(self._centred, other._centred))
        raw = self._squares if other is self else float(torch.dot(self.values, other.values))
        return raw - self.mean * other.total

    @cached_property
    def _squares(self) -> float:
        return float(torch.dot(self.values, self.values))

    @cached_property
    def _far(self) -> bool:
        """Whether the mean is so large beside the deviations that it must be taken off first.

        Otherwise taking it off the sums costs four digits of float64's sixteen at most.
        """
        offset = self.mean * self.total
        return not self._squares - offset >= 1e-4 * offset  # so for NaN, too

    @cached_property
    def _centred(self) -> Tensor:
        return self.values - self.mean

    @property
    def lift(self) -> float:
        """What is added to the values for `weights`, except in a massless map."""
        return -min(self.low, 0.0)

    @cached_property
    def weights(self) -> Tensor:
        """What divided by `mass` is a density, `(H*W,)`.

        Negative maps are shifted up to 0, and massless ones hold the same everywhere.
        """
        if self.massless:
            return torch.ones_like(self.values)
        return self.values + self.lift if self.lift else self.values

    @cached_property
    def mass(self) -> float:
        """Sum of `weights`."""
        return self.total if self.weights is self.values else float(self.weights.sum())


@dataclass(frozen=True)
class Fixated:
    """The fixated pixels of one image, in reading order."""

    pixel: Tensor
    """Indices into the flattened image `(K,)` int64."""
    repeats: Indices
    """How often each was fixated, 1 or more, `(K,)`."""

    @cached_property
    def total(self) -> int:
        """Fixations, repeats included."""
        return int(self.repeats.sum())

    def of(self, values: Tensor) -> Values:
        """What flattened maps `(H*W,)` hold at the pixels `(K,)`."""
        found: Values = values[self.pixel].cpu().numpy()
        return found

    def mean(self, values: Values) -> float:
        """Mean over all fixations of values `(K,)`, in float64; NaN where there is none."""
        if not self.total:
            return math.nan
        return float(np.dot(values.astype(np.float64), self.repeats)) / self.total


@dataclass(frozen=True)
class Scene:
    """One image: the prediction and where it was fixated."""

    map: Map
    fixated: Fixated

    @cached_property
    def at(self) -> Values:
        """Values at the fixated pixels `(K,)`."""
        return self.fixated.of(self.map.given)

    @cached_property
    def levels(self) -> tuple[Values, Indices]:
        """Distinct fixated values `(T,)`, increasing, and which of them each pixel has `(K,)`."""
        return np.unique(self.at, return_inverse=True)

    @cached_property
    def hits(self) -> Indices:
        """Fixations at each level `(T,)`."""
        levels, place = self.levels
        weights = np.bincount(place, self.fixated.repeats, len(levels))  # whole numbers: exact
        return weights.astype(np.int64)

    @cached_property
    def ranks(self) -> Ranks:
        """Where the levels stand among all values of the map."""
        return ranks(self.map.given, self.levels[0], self.map.low, self.map.high)


def maps_of(maps: Tensor, name: str, ids: Sequence[str] | None = None) -> list[Map]:
    """Every map of `(B, H, W)` of any dtype; `name` and `ids` say in errors what they are.

    Raises `ValueError` for another shape and `UserError` for NaN or infinite values.
    """
    if maps.ndim != 3 or 0 in maps.shape[1:]:
        raise ValueError(f"{name} must be (B, H, W) with pixels in it, got {tuple(maps.shape)}")
    found, bad = [], []
    for index, row in enumerate(maps.flatten(1)):
        low, high = (bound.item() for bound in row.aminmax())  # both are NaN if any value is
        if not math.isfinite(low) or not math.isfinite(high):
            bad.append(ids[index] if ids is not None else f"batch index {index}")
            continue
        found.append(Map(row if row.dtype == torch.float32 else row.double(), low, high))
    if bad:
        raise UserError(_not_finite(bad, name))
    return found


def fixated_of(pred: Tensor, counts: Tensor, fixations: Fixations) -> list[Fixated]:
    """Fixated pixels by image, from counts `(B, H, W)` of the same shape as `pred`.

    Repeats are merged if asked. Raises `ValueError` for another shape, for counts that are not
    whole non-negative numbers, and for an unknown `fixations`.
    """
    require_same_shape(pred, counts, "fixation counts")
    if fixations not in ("repeats", "unique"):
        raise ValueError(f"fixations={fixations!r}: must be 'repeats' or 'unique'")
    return [_fixated(row, fixations) for row in counts.flatten(1)]


def scenes(
    pred: Tensor,
    counts: Tensor,
    fixations: Fixations = "repeats",
    ids: Sequence[str] | None = None,
) -> Iterator[Scene]:
    """The images of a batch, checked."""
    fixated = fixated_of(pred, counts, fixations)
    return map(Scene, one_by_one(maps_of(pred, "prediction", ids)), fixated)


def one_by_one(maps: list[Map]) -> Iterator[Map]:
    """The maps in order, each let go when the next is asked for, with all that was made of it."""
    maps.reverse()
    while maps:
        yield maps.pop()


def as_scores(values: Sequence[float], like: Tensor) -> Tensor:
    """Scores `(B,)` float64 on the device of the maps."""
    return torch.tensor(values, dtype=torch.float64, device=like.device)


def require_same_shape(pred: Tensor, other: Tensor, name: str) -> None:
    """Raise `ValueError` unless both are `(B, H, W)` and equal."""
    if pred.ndim != 3 or pred.shape != other.shape:
        raise ValueError(
            f"prediction {tuple(pred.shape)} and {name} {tuple(other.shape)} "
            "must both be (B, H, W); resize the prediction to the annotation first"
        )


def _fixated(counts: Tensor, fixations: Fixations) -> Fixated:
    pixel = torch.from_numpy(places(counts)).to(counts.device)
    given = counts[pixel].cpu().numpy()
    repeats = given.astype(np.int64)
    if (repeats < 1).any() or not np.array_equal(repeats, given):
        raise ValueError("fixation counts must be whole numbers, 0 or more, per pixel")
    return Fixated(pixel, np.minimum(repeats, 1) if fixations == "unique" else repeats)


def _not_finite(names: Sequence[str], name: str) -> str:
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return (
        f"{name} has NaN or infinite values in {shown}; if it is a model's, its training "
        "diverged or its export is broken, if it is read from a file, that file is damaged"
    )
