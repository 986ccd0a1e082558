"""How many values lie below each of some thresholds: exactly, and without sorting the values.

Values are first counted in bins. Only those that share a bin with a threshold have to be compared
with it; all others are ordered by their bins, since binning never turns an order around.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_FEWEST, _MOST = 1 << 10, 1 << 16  # bins: few for few values, at most what a cache holds


@dataclass(frozen=True)
class Ranks:
    """Where thresholds stand among values, repeats included."""

    below: Tensor
    """Values less than each threshold `(T,)` int64."""
    equal: Tensor
    """Values equal to each threshold `(T,)` int64."""


def ranks(
    values: Tensor,
    thresholds: Tensor,
    low: float,
    high: float,
    repeats: Tensor | None = None,
) -> Ranks:
    """Ranks of increasing distinct `thresholds` `(T,)` among `values` `(N,)`, both float64.

    `low` and `high` bound values and thresholds. `repeats` `(N,)` int64 says how often each value
    counts; once by default.
    """
    bins = min(_MOST, max(_FEWEST, 1 << len(values).bit_length()))
    spread = high - low
    scale = (bins - 1) / spread if spread > 0 else math.inf
    if not (math.isfinite(spread) and math.isfinite(scale)):  # no numbers to bin by
        return _compared(values, thresholds, repeats)
    keys = _keys(values, low, scale)
    places = _keys(thresholds, low, scale)
    shared = torch.zeros(bins, dtype=torch.bool, device=values.device)
    shared[places] = True
    clear = _counted(keys, repeats, bins).masked_fill_(shared, 0).cumsum(0)
    near = shared.index_select(0, keys)
    own = None if repeats is None else repeats.masked_select(near)
    found = _compared(values.masked_select(near), thresholds, own)
    return Ranks(found.below + clear[places], found.equal)


def _keys(values: Tensor, low: float, scale: float) -> Tensor:
    # int32 is twice as quick to count as int64; rounding may merge neighbours, never swap them.
    return values.sub(low).mul_(scale).to(torch.int32)


def _compared(values: Tensor, thresholds: Tensor, repeats: Tensor | None) -> Ranks:
    """The same by comparing every value."""
    after = torch.bucketize(values, thresholds, right=True)
    below = _counted(after, repeats, len(thresholds) + 1).cumsum(0)[:-1]
    last = after.sub(1).clamp_min_(0)
    same = (after > 0) & (thresholds[last] == values)
    own = None if repeats is None else repeats.masked_select(same)
    return Ranks(below, _counted(last.masked_select(same), own, len(thresholds)))


def _counted(keys: Tensor, repeats: Tensor | None, bins: int) -> Tensor:
    if repeats is None:
        return torch.bincount(keys, minlength=bins)
    # Sums of whole numbers: exact in float64 up to 2^53.
    return torch.bincount(keys, repeats.double(), minlength=bins).long()
