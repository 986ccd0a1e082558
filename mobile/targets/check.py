"""The same file on two runtimes: what a target computes beside this environment's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mobile.backend import Array
from mobile.export import open_runner
from mobile.targets.registry import RefusedError, Target

NEAREST = 0.995
"""Least correlation of logits with this environment's runtime that counts as computed alike.

Float files agree to the last bits; int8 kernels of other versions round otherwise (0.998 seen).
"""
WAY_OUT = (
    "ship litert_fp32 or litert_fp16 to that runtime, or export the refused operator otherwise"
)


@dataclass(frozen=True)
class Checked:
    """One file on one target."""

    target: str
    file: str
    images: int
    runs: bool
    refused: str | None
    """The runtime's words where it did not take the file."""
    max_abs: float | None
    """Largest difference of logits from this environment's runtime."""
    cc_min: float | None
    """Least correlation of the logits with it."""

    @property
    def alike(self) -> bool:
        """Whether it ran and computed the same."""
        return self.runs and self.cc_min is not None and self.cc_min >= NEAREST


def check(target: Target, path: Path, images: Sequence[Array]) -> Checked:
    """Run `path` on the target and here, on images (1, 3, H, W) float32 RGB 0-255."""
    try:
        found = target.outputs(path, images)
    except RefusedError as refused:
        return Checked(target.name, path.name, len(images), False, str(refused), None, None)
    runner = open_runner(path, 1)
    own = [runner.run(image) for image in images]
    pairs = list(zip(found, own, strict=True))
    largest = max(float(np.abs(a - b).max()) for a, b in pairs)
    least = min(float(np.corrcoef(a.ravel(), b.ravel())[0, 1]) for a, b in pairs)
    return Checked(target.name, path.name, len(images), True, None, largest, least)
