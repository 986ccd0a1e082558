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
    def from_maps(cls, maps: Tensor, name: str, ids: Sequence[str] | None = None) -> Flat:
        """Flatten `(B, H, W)` maps of any dtype; `name` and `ids` say in errors what they are.

        Raises `ValueError` for another shape and `UserError` for NaN or infinite values.
        """
        if maps.ndim != 3 or 0 in maps.shape[1:]:
            raise ValueError(f"{name} must be (B, H, W) with pixels in it, got {tuple(maps.shape)}")
        values = maps.flatten(1).double()
        low, high = values.aminmax(dim=1, keepdim=True)  # both are NaN if any value is
        finite = (low.isfinite() & high.isfinite()).flatten()
        if not bool(finite.all()):
            raise UserError(_not_finite((~finite).nonzero().flatten().tolist(), name, ids))
        return cls(values, low, high)

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

    def normalised(self) -> Tensor:
        """Densities of sum 1, `(B, H*W)`: negative maps are shifted up, massless ones uniform."""
        pixels = self.values.shape[1]
        shifted = self.values - self.low.clamp_max(0)
        massless = self.massless[:, None]
        shifted += massless.double()
        mass = torch.where(massless, pixels, shifted.sum(dim=1, keepdim=True))
        return shifted.div_(mass)


def weights_of(pred: Tensor, counts: Tensor, fixations: Fixations) -> Tensor:
    """Flattened int64 fixation counts `(B, H*W)`, repeats merged if asked.

    Raises `ValueError` for another shape than the prediction's, for counts that are not whole
    non-negative numbers, and for an unknown `fixations`.
    """
    require_same_shape(pred, counts, "fixation counts")
    given = counts.flatten(1)
    weights = given.to(torch.int64)
    if bool((weights < 0).any()) or not torch.equal(weights.to(given.dtype), given):
        raise ValueError("fixation counts must be whole numbers, 0 or more, per pixel")
    if fixations == "repeats":
        return weights
    if fixations == "unique":
        return weights.clamp_max(1)
    raise ValueError(f"fixations={fixations!r}: must be 'repeats' or 'unique'")


def require_same_shape(pred: Tensor, other: Tensor, name: str) -> None:
    """Raise `ValueError` unless both are `(B, H, W)` and equal."""
    if pred.ndim != 3 or pred.shape != other.shape:
        raise ValueError(
            f"prediction {tuple(pred.shape)} and {name} {tuple(other.shape)} "
            "must both be (B, H, W); resize the prediction to the annotation first"
        )


def _not_finite(bad: list[int], name: str, ids: Sequence[str] | None) -> str:
    names = [ids[index] if ids is not None else f"batch index {index}" for index in bad]
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return (
        f"{name} has NaN or infinite values in {shown}; if it is a model's, its training "
        "diverged or its export is broken, if it is read from a file, that file is damaged"
    )
