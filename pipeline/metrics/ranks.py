"""How many values lie below each of some thresholds: exactly, and without sorting the values.

Values are first counted in bins. Only those that share a bin with a threshold have to be compared
with it; all others are ordered by their bins, since binning never turns an order around.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.metrics.sparse import places

Values = NDArray[np.floating]
Counts = NDArray[np.int64]

_PER_THRESHOLD = 256  # bins: so many that few values share one with a threshold,
_FEWEST, _MOST = 1 << 10, 1 << 16  # no more than a cache holds, nor than there are values
_EXTREME = 1e30  # ranges beyond it, and their inverses, leave no room in float32


@dataclass(frozen=True)
class Ranks:
    """Where thresholds stand among values, repeats included."""

    below: Counts
    """Values less than each threshold `(T,)`."""
    equal: Counts
    """Values equal to each threshold `(T,)`."""


def ranks(
    values: Tensor,
    thresholds: Values,
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
    keys = _keys(values, low, scale)
    own = _keys(torch.from_numpy(thresholds).to(values.device), low, scale).long()
    # Sums of whole numbers: exact in float64 up to 2^53.
    weights = None if repeats is None else repeats.double()
    clear = torch.bincount(keys, weights, minlength=bins)
    clear[own] = 0
    shared = torch.zeros(len(clear), dtype=torch.bool, device=values.device)
    shared[own] = True
    near = torch.from_numpy(places(shared.index_select(0, keys))).to(values.device)
    found = _compared(values[near], thresholds, None if repeats is None else repeats[near])
    lower = clear.cumsum(0)[own].cpu().numpy().astype(np.int64)
    return Ranks(found.below + lower, found.equal)


def _keys(values: Tensor, low: float, scale: float) -> Tensor:
    # Rounding may merge neighbours or open one bin more at the top, but never swaps two values.
    return values.sub(low).mul_(scale).to(torch.int32)


def _compared(tensor: Tensor, thresholds: Values, counted: Tensor | None) -> Ranks:
    """The same by comparing every value."""
    count, values = len(thresholds), tensor.cpu().numpy()
    repeats = None if counted is None else counted.cpu().numpy()
    after = np.searchsorted(thresholds, values, side="right")
    below = np.bincount(after, repeats, count + 1).astype(np.int64).cumsum()[:-1]
    last = np.maximum(after - 1, 0)
    same = thresholds[last] == values  # never so for a value below all thresholds
    own = None if repeats is None else repeats[same]
    return Ranks(below, np.bincount(last[same], own, count).astype(np.int64))
