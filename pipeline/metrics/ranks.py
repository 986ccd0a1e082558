"""How many values lie below each of some thresholds: exactly, and without sorting the values.

Values are first counted in bins. Only those that share a bin with a threshold have to be compared
with it; all others are ordered by their bins, since binning never turns an order around.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_PER_THRESHOLD = 256  # bins: so many that few values share one with a threshold,
_FEWEST, _MOST = 1 << 10, 1 << 16  # no more than a cache holds, nor than there are values
_EXTREME = 1e30  # ranges beyond it, and their inverses, leave no room in float32


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
    """Ranks of increasing distinct `thresholds` `(T,)` among `values` `(N,)`.

    Both are float32 or both float64, between `low` and `high`. `repeats` `(N,)` int64 says how
    often each value counts; once by default.
    """
    if not 1 / _EXTREME < high - low < _EXTREME:
        return _compared(values, thresholds, repeats)
    wanted = min(_MOST, len(values), _PER_THRESHOLD * len(thresholds))
    bins = max(_FEWEST, 1 << wanted.bit_length() - 1)
    scale = (bins - 1) / (high - low)
    keys, places = _keys(values, low, scale), _keys(thresholds, low, scale)
    clear = _counted(keys, repeats, bins)
    clear[places] = 0
    shared = torch.zeros(len(clear), dtype=torch.bool, device=values.device)
    shared[places] = True
    near = _true(shared.index_select(0, keys))
    found = _compared(values[near], thresholds, None if repeats is None else repeats[near])
    return Ranks(found.below + clear.cumsum(0)[places], found.equal)


def _keys(values: Tensor, low: float, scale: float) -> Tensor:
    # Rounding may merge neighbours or open one bin more at the top, but never swaps two values.
    return values.sub(low).mul_(scale).to(torch.int32)


def _true(mask: Tensor) -> Tensor:
    """Where `mask` `(N,)` is true; few places are found eight at a time."""
    whole = len(mask) // 8 * 8
    words = mask[:whole].view(torch.int64).nonzero()
    if len(words) * 32 > whole:
        return mask.nonzero().flatten()
    places = (words * 8 + torch.arange(8, device=mask.device)).flatten()
    tail = torch.arange(whole, len(mask), device=mask.device)
    places = torch.cat([places, tail])
    return places[mask[places]]


def _compared(values: Tensor, thresholds: Tensor, repeats: Tensor | None) -> Ranks:
    """The same by comparing every value."""
    after = torch.bucketize(values, thresholds, right=True)
    below = _counted(after, repeats, len(thresholds) + 1).cumsum(0)[:-1]
    last = after.sub(1).clamp_min_(0)
    same = (after > 0) & (thresholds[last] == values)
    own = None if repeats is None else repeats[same]
    return Ranks(below, _counted(last[same], own, len(thresholds)))


def _counted(keys: Tensor, repeats: Tensor | None, bins: int) -> Tensor:
    if repeats is None:
        return torch.bincount(keys, minlength=bins)
    # Sums of whole numbers: exact in float64 up to 2^53.
    return torch.bincount(keys, repeats.double(), minlength=bins).long()
