"""Small maps for property tests: many ties, repeats, constant maps, no and every pixel fixated."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

SHAPE = (5, 6)
PIXELS = SHAPE[0] * SHAPE[1]
FEW = settings(max_examples=60)


@st.composite
def levels(draw: st.DrawFn, largest: int, step: float = 1.0) -> Tensor:
    """A map of few levels, as float64 `(1, H, W)`; now and then a constant one."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    top = draw(st.integers(0, largest))
    return _map(step * generator.integers(0, top + 1, PIXELS))


@st.composite
def count_maps(draw: st.DrawFn) -> Tensor:
    """Fixation counts `(1, H, W)` int64: none, one, some with repeats, or every pixel."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    number = draw(st.sampled_from([0, 1, 2, 5, 20, 60]))
    counts = np.bincount(generator.integers(0, PIXELS, number), minlength=PIXELS)
    return _map(counts + draw(st.sampled_from([0, 0, 0, 0, 1]))).long()


def _map(values: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(values.astype(np.float64)).reshape(1, *SHAPE)
