"""Saccades and fixations in a trace of the eye, as the authors of MIT1003 find them.

What `checkFixations.m` does, which comes with the data set (Judd et al., ICCV 2009): a saccade is
a rise in speed that a fall follows, and fixations lie between. Samples count from 0 here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

RATE = 240.0
"""Samples a second."""
CRITICAL = 34 * 6
"""Pixels a second by which the speed must change from one sample to the next: 34 pixels a degree,
6 degrees."""
SMOOTHED = 4
"""Samples that the distance to the sample before is averaged over."""
SHORTEST_RISE = 3
"""Samples above the threshold, one after the other."""
PATIENCE = 25
"""Samples after a rise within which the fall must end."""
SHORTEST_FIXATION = 12
"""Samples, 50 ms; shorter ones join the saccades around them, and the last one its saccade."""

Trace = NDArray[np.float64]


def fixations(trace: Trace) -> NDArray[np.float64]:
    """Medians (n, 2) of the fixations in a trace (N, 2) of x and y, in their order.

    Samples that are no numbers count for no median; a fixation of these alone is NaN.
    """
    medians = [_median(trace[start:end]) for start, end in intervals(trace)]
    return np.array(medians).reshape(-1, 2)


def intervals(trace: Trace) -> list[tuple[int, int]]:
    """First sample of each fixation and the one after its last; the whole trace if none moves."""
    saccades = _saccades(trace)
    starts = [0, *(end + 1 for _, end in saccades)]
    ends = [*(start for start, _ in saccades), len(trace)]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if start < end]


def _saccades(trace: Trace) -> list[tuple[int, int]]:
    """First and last sample of each saccade."""
    speed_up = _acceleration(trace)
    rises = _runs(speed_up > CRITICAL)
    falling = speed_up < -CRITICAL
    moving = np.flatnonzero(speed_up != 0)
    found: list[tuple[int, int]] = []
    for start, end in rises:
        stop = _stop(falling, end)
        # A trial may end before the eye does. The original asks so only of a single rise.
        if stop is None and len(rises) == 1 and end == moving[-1]:
            stop = len(trace) - 1
        if stop is not None:
            found.append((start, stop))
    joined: list[tuple[int, int]] = []
    for index, (start, stop) in enumerate(found):
        # The gap is held against the saccade before, whether or not that was joined itself.
        if index and start - found[index - 1][1] <= SHORTEST_FIXATION:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    if joined and len(trace) - 1 - joined[-1][1] <= SHORTEST_FIXATION:
        joined[-1] = (joined[-1][0], len(trace) - 1)
    return joined


def _acceleration(trace: Trace) -> NDArray[np.float64]:
    """Change of the speed (N,), pixels a second; 0 where the windows would leave the trace."""
    if len(trace) == 0:
        return np.zeros(0)
    steps = np.zeros(len(trace))
    steps[1:] = np.sqrt((np.diff(trace, axis=0) ** 2).sum(axis=1))
    smooth = lfilter(np.full(SMOOTHED, 1 / SMOOTHED), 1.0, steps)
    change = np.zeros(len(trace))
    last = len(trace) - SMOOTHED - 1
    if last > 1:
        window = np.lib.stride_tricks.sliding_window_view(smooth, SMOOTHED + 1)
        # Summed in the order of the samples, as the original does: at the threshold it counts.
        speed = sum(window.T[1:], start=window[:, 0]) / (SMOOTHED / RATE)
        change[1:last] = speed[2 : last + 1] - speed[1:last]
    return change


def _runs(above: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of each run of true values that is long enough."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], above.astype(np.int8), [0]])))
    pairs = zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True)
    return [(start, end) for start, end in pairs if end - start + 1 >= SHORTEST_RISE]


def _stop(falling: NDArray[np.bool_], end: int) -> int | None:
    """The last sample of the fall after a rise that ends at `end`, or None."""
    for tried in range(PATIENCE):
        here = end + 1 + tried
        if here + 1 >= len(falling) - (1 if tried else 0):
            return None
        if falling[here] and not falling[here + 1]:
            return here
    return None


def _median(samples: Trace) -> NDArray[np.float64]:
    columns = [column[~np.isnan(column)] for column in samples.T]
    return np.array([np.median(kept) if len(kept) else np.nan for kept in columns])
