"""Maps made ready for scoring: checked, flat, float64, with what several metrics ask of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from pipeline.errors import UserError

Fixations = Literal["repeats", "unique"]


@dataclass(frozen=True)
class Flat:
    """A batch of finite maps, one row each."""

    given: Tensor
    """`(B, H*W)` float32 or float64, for what asks of their order alone."""
    values: Tensor
    """The same in float64, for what sums."""
    low: Tensor
    """Smallest value of each map `(B, 1)`."""
    high: Tensor
    """Largest value of each map `(B, 1)`."""

    @classmethod
    def from_maps(
        cls, maps: Tensor, name: str, ids: Sequence[str] | None = None, first: int = 0
    ) -> Flat:
        """Flatten `(B, H, W)` maps of any dtype.

        `name`, and `ids` or counting from `first`, say in errors what they are.

        Raises `ValueError` for another shape and `UserError` for NaN or infinite values.
        """
        if maps.ndim != 3 or 0 in maps.shape[1:]:
            raise ValueError(f"{name} must be (B, H, W) with pixels in it, got {tuple(maps.shape)}")
        given = maps.flatten(1)
        # Row by row, which is much quicker than along an axis; both are NaN if any value is.
        bounds = [torch.stack(tuple(row.aminmax())) for row in given]
        extent = torch.stack(bounds).double() if bounds else given.new_zeros((0, 2)).double()
        low, high = extent[:, :1], extent[:, 1:]
        finite = (low.isfinite() & high.isfinite()).flatten()
        if not bool(finite.all()):
            bad = (~finite).nonzero().flatten().tolist()
            named = [ids[i] if ids is not None else f"batch index {first + i}" for i in bad]
            raise UserError(_not_finite(named, name))
        values = given.double()
        return cls(given if given.dtype == torch.float32 else values, values, low, high)

    @property
    def constant(self) -> Tensor:
        """Which maps are constant `(B,)`.

        Exact, where a standard deviation of 0 is not: rounding leaves 1e-17 of a constant map.
        """
        return (self.low == self.high).flatten()

    @property
    def massless(self) -> Tensor:
        """Which maps hold nothing to normalise `(B,)`: no value above 0 or, if lower, the least."""
        return (self.high <= self.low.clamp_max(0)).flatten()

    @cached_property
    def total(self) -> Tensor:
        """Sums of the values `(B, 1)`."""
        return self.values.sum(dim=1, keepdim=True)

    @property
    def mean(self) -> Tensor:
        """Means of the values `(B, 1)`."""
        return self.total / self.values.shape[1]

    @cached_property
    def centred(self) -> Tensor:
        """Values less their mean `(B, H*W)`: a copy that `product` mostly does without."""
        return self.values - self.mean

    @cached_property
    def norm(self) -> Tensor:
        """Euclidean norms of the centred values `(B,)`."""
        return self.product(self).sqrt()

    def product(self, other: Flat) -> Tensor:
        """Inner products `(B,)` of the centred values with those of other maps."""
        if self._far or other._far:
            return dots(self.centred, other.centred)
        raw = self._squares if other is self else dots(self.values, other.values)
        return raw - (self.mean * other.total).flatten()

    @cached_property
    def _squares(self) -> Tensor:
        return dots(self.values, self.values)

    @cached_property
    def _far(self) -> bool:
        """Whether some mean is so large beside the deviations that it must be taken off first.

        Otherwise taking it off the sums costs four digits of float64's sixteen at most.
        """
        offset = (self.mean * self.total).flatten()
        return not bool((self._squares - offset >= 1e-4 * offset).all())  # not so for NaN, either

    @cached_property
    def weights(self) -> Tensor:
        """What divided by `mass` is a density, `(B, H*W)`.

        Negative maps are shifted up to 0, and massless ones hold the same everywhere.
        """
        if bool((self.low >= 0).all()) and not bool(self.massless.any()):
            return self.values  # as almost every map is: no copy
        shifted = self.values - self.low.clamp_max(0)
        return shifted.add_(self.massless[:, None].double())

    @cached_property
    def mass(self) -> Tensor:
        """Sums of `weights`, `(B, 1)`."""
        if self.weights is self.values:
            return self.total
        return self.weights.sum(dim=1, keepdim=True)


@dataclass(frozen=True)
class Fixated:
    """The fixated pixels of a batch, image by image and in reading order."""

    image: Tensor
    """Index into the batch `(K,)` int64."""
    pixel: Tensor
    """Index into the flattened image `(K,)` int64."""
    repeats: Tensor
    """How often each was fixated, 1 or more, `(K,)` int64."""
    images: int
    """Size of the batch."""

    @classmethod
    def from_counts(cls, pred: Tensor, counts: Tensor, fixations: Fixations) -> Fixated:
        """From counts `(B, H, W)` of the same shape as `pred`, repeats merged if asked.

        Raises `ValueError` for another shape, for counts that are not whole non-negative numbers,
        and for an unknown `fixations`.
        """
        require_same_shape(pred, counts, "fixation counts")
        flat = counts.flatten(1)
        image, pixel = flat.nonzero(as_tuple=True)
        given = flat[image, pixel]
        repeats = given.to(torch.int64)
        if bool((repeats < 1).any()) or not torch.equal(repeats.to(given.dtype), given):
            raise ValueError("fixation counts must be whole numbers, 0 or more, per pixel")
        if fixations == "unique":
            repeats = repeats.clamp_max(1)
        elif fixations != "repeats":
            raise ValueError(f"fixations={fixations!r}: must be 'repeats' or 'unique'")
        return cls(image, pixel, repeats, len(flat))

    @cached_property
    def totals(self) -> Tensor:
        """Fixations of each image `(B,)` int64."""
        return self.repeats.new_zeros(self.images).index_add_(0, self.image, self.repeats)

    @cached_property
    def each(self) -> list[tuple[Tensor, Tensor]]:
        """Pixels and repeats of every image."""
        sizes = torch.bincount(self.image, minlength=self.images).tolist()
        pixels, repeats = torch.split(self.pixel, sizes), torch.split(self.repeats, sizes)
        return list(zip(pixels, repeats, strict=True))


@dataclass(frozen=True)
class Scene:
    """One image of a batch: the prediction and where it was fixated."""

    values: Tensor
    """`(H*W,)` float32 or float64."""
    low: float
    """Smallest value."""
    high: float
    """Largest value."""
    pixel: Tensor
    """Fixated pixels `(K,)` int64, each once."""
    repeats: Tensor
    """How often each was fixated `(K,)` int64."""

    @cached_property
    def fixations(self) -> int:
        """How many there are."""
        return int(self.repeats.sum())

    @cached_property
    def levels(self) -> tuple[Tensor, Tensor]:
        """Distinct fixated values `(T,)`, increasing, and which of them each pixel has `(K,)`."""
        values, place = torch.unique(self.values[self.pixel], return_inverse=True)
        return values, place

    @cached_property
    def hits(self) -> Tensor:
        """Fixations at each level `(T,)` int64."""
        levels, place = self.levels
        return self.repeats.new_zeros(len(levels)).index_add_(0, place, self.repeats)


def scenes(flat: Flat, fixated: Fixated) -> list[Scene]:
    """The images of a batch one by one, for metrics that work on their order of values."""
    lows, highs = flat.low.flatten().tolist(), flat.high.flatten().tolist()
    return [
        Scene(values, low, high, pixel, repeats)
        for values, low, high, (pixel, repeats) in zip(
            flat.given, lows, highs, fixated.each, strict=True
        )
    ]


def dots(first: Tensor, second: Tensor) -> Tensor:
    """Inner products `(B,)` of the rows of two `(B, N)`, without a product of that size."""
    return torch.stack([torch.dot(a, b) for a, b in zip(first, second, strict=True)])


def require_same_shape(pred: Tensor, other: Tensor, name: str) -> None:
    """Raise `ValueError` unless both are `(B, H, W)` and equal."""
    if pred.ndim != 3 or pred.shape != other.shape:
        raise ValueError(
            f"prediction {tuple(pred.shape)} and {name} {tuple(other.shape)} "
            "must both be (B, H, W); resize the prediction to the annotation first"
        )


def _not_finite(names: Sequence[str], name: str) -> str:
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return (
        f"{name} has NaN or infinite values in {shown}; if it is a model's, its training "
        "diverged or its export is broken, if it is read from a file, that file is damaged"
    )
