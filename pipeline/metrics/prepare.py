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

    values: Tensor
    """`(B, H*W)` float64."""
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
        return cls(given.double(), low, high)

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
    def centred(self) -> Tensor:
        """Values less their mean, `(B, H*W)`."""
        return self.values - self.values.mean(dim=1, keepdim=True)

    @cached_property
    def norm(self) -> Tensor:
        """Euclidean norm of the centred values `(B,)`."""
        return dots(self.centred, self.centred).sqrt()

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
    """`(H*W,)` float64."""
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
            flat.values, lows, highs, fixated.each, strict=True
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
