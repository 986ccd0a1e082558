"""pysaliency, imported without its warnings, and our maps in its terms."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it imports pkg_resources, which is deprecated
    import pysaliency
    from pysaliency import baseline_utils, metrics
    from pysaliency.models import Model
    from pysaliency.roc import general_roc
    from pysaliency.saliency_map_models import SaliencyMapModel

__all__ = [
    "Model",
    "SaliencyMapModel",
    "baseline_utils",
    "fixations_of",
    "general_roc",
    "metrics",
    "pysaliency",
    "stimuli_of",
]

IGNORED = (
    "ignore:.*trapz:DeprecationWarning",
    "ignore:divide by zero:RuntimeWarning",
    "ignore:invalid value:RuntimeWarning",
)


def stimuli_of(sizes: Sequence[tuple[int, int]]) -> pysaliency.Stimuli:
    """Grey pictures of these sizes, each different, since models look them up by content."""
    return pysaliency.Stimuli([np.full((*size, 3), i, np.uint8) for i, size in enumerate(sizes)])


def fixations_of(counts: Sequence[NDArray[np.int64]]) -> pysaliency.Fixations:
    """Every fixation of every count map, in the middle of its pixel."""
    xs, ys, ns = [], [], []
    for number, count in enumerate(counts):
        rows, columns = np.nonzero(count)
        repeats = count[rows, columns]
        ys += [np.repeat(rows, repeats) + 0.5]
        xs += [np.repeat(columns, repeats) + 0.5]
        ns += [np.full(repeats.sum(), number)]
    return pysaliency.Fixations.create_without_history(
        np.concatenate(xs), np.concatenate(ys), np.concatenate(ns)
    )
