"""Maps and scores of predictors that are off by a known amount."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.tasks.saliency import SaliencyTask


def bump(height: int, width: int, y: float, x: float) -> NDArray[np.float32]:
    rows, columns = np.mgrid[0:height, 0:width]
    distance = (rows / height - y) ** 2 + (columns / width - x) ** 2
    return np.exp(-20 * distance).astype(np.float32)


def values(count: int, level: float) -> dict[str, torch.Tensor]:
    """Scores of `count` images of a predictor that is `level` off."""
    spread = torch.linspace(0.1, -0.1, count, dtype=torch.float64)
    return {
        metric: (0.7 - level if metric != "KLDiv" else 0.5 + level) + spread
        for metric in SaliencyTask.metrics
    }


def logits(off: float) -> NDArray[np.float32]:
    return 8 * bump(192, 256, 0.4 + off, 0.6) - 4
