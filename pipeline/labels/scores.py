"""A teacher's class scores in four bytes a pixel: its two likeliest classes and how sure it is.

Stored as one little-endian 32-bit number: class, probability, second class, its probability, one
byte each. What is left of the probability is spread evenly over the other classes when learned.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pipeline.errors import UserError

MOST = 256
"""Classes that one byte can name."""


def packed(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Class logits (n, C, H, W) as stored, (n, h, w) int64, at `size`: probabilities are resized.

    Raises `UserError` for fewer than two classes or more than a byte can name.
    """
    classes = logits.shape[1]
    if not 2 <= classes <= MOST:
        raise UserError(f"labels: scores of {classes} classes cannot be stored; 2 to {MOST} can")
    shown = logits.float().softmax(dim=1)
    if tuple(shown.shape[-2:]) != size:
        shown = F.interpolate(
            shown, size=size, mode="bilinear", align_corners=False, antialias=True
        )
    sure, which = shown.topk(2, dim=1)
    level = (sure.clamp(0, 1) * 255).round().long()
    return which[:, 0] | level[:, 0] << 8 | which[:, 1] << 16 | level[:, 1] << 24


def unpacked(stored: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Stored numbers (H, W) as planes (4, H, W): class, probability, second class, probability."""
    parts = [(stored >> shift & 0xFF).astype(np.float32) for shift in (0, 8, 16, 24)]
    return np.stack([parts[0], parts[1] / 255, parts[2], parts[3] / 255]).astype(np.float32)


def soft_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of `logits` (B, C, H, W) with stored scores (B, 4, H, W).

    Pixels of no probability at all (around a shrunk image) do not count.
    """
    log_p = logits.float().log_softmax(dim=1)
    which = labels[:, 0::2].long()
    sure = labels[:, 1::2]
    sure = sure / sure.sum(dim=1, keepdim=True).clamp_min(1)  # two roundings may exceed 1
    known = log_p.gather(1, which)
    rest = 1 - sure.sum(dim=1)
    others = (log_p.sum(dim=1) - known.sum(dim=1)) / max(1, logits.shape[1] - 2)
    each = -(sure * known).sum(dim=1) - (rest * others if logits.shape[1] > 2 else 0)
    counts = (labels[:, 1] > 0).to(each)
    return torch.sum(each * counts) / counts.sum().clamp_min(1)
