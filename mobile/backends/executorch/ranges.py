"""Activation ranges for int8: the mean over images of each image's least and largest value.

An outlier in one photograph widens a range by its share only. On trained FastSals this lies nearer
to float than the histogram observer that XNNPACK's quantiser takes by default (photographs, (C):
mean correlation with torch 0.994 against 0.990), and than clipping at the 99.9th percentile.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchao.quantization.pt2e import MinMaxObserver


class MeanRange(MinMaxObserver):  # type: ignore[misc]  # its package has no types
    """Running means of the minimum and maximum of every tensor seen; each call is one image."""

    min_val: Tensor
    max_val: Tensor

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.seen = 0

    def forward(self, x: Tensor) -> Tensor:
        """Count `x` in and give it back as it is."""
        low, high = torch.aminmax(x.detach())
        self.seen += 1
        if self.seen > 1:
            low = self.min_val + (low - self.min_val) / self.seen
            high = self.max_val + (high - self.max_val) / self.seen
        self.min_val = low.clone()
        self.max_val = high.clone()
        return x
