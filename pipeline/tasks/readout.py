"""From a network's numbers to a map and back: sigmoid and softmax read-out (FastSal, Table VI).

Meanings (`ModelSpec.output`): `logits` are read by a sigmoid, each pixel a Bernoulli variable
(Sec. III-B); `log-density` by a softmax over all pixels, so a constant on top of it is nothing;
`class-logits`, one plane for each class, by a softmax over classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError

Map = NDArray[np.float32]
"""(h, w), or (classes, h, w) of class logits."""

LOGITS, LOG_DENSITY, CLASS_LOGITS = "logits", "log-density", "class-logits"
MEANINGS = {"sigmoid": LOGITS, "softmax": LOG_DENSITY, "classes": CLASS_LOGITS}
"""Read-outs, as configurations name them, and the meaning of the output each is for."""

_LEAST = 1e-6
"""Probability that a pixel keeps when a map is turned back: 0 and 1 have no logit."""


def map_of(output: NDArray[np.floating]) -> Map:
    """What a network gave for one image, (1, C, h, w), as a map: without axes of size 1."""
    first = output[0]
    found: Map = (first[0] if len(first) == 1 else first).astype(np.float32, copy=False)
    return found


def probability(output: Map, meaning: str) -> Map:
    """The map (H, W) in 0-1 of an `output` (H, W); a density is scaled to a largest value of 1.

    Raises `UserError` for an unknown `meaning`.
    """
    values = output.astype(np.float64)
    if meaning == LOGITS:
        shown = 1 / (1 + np.exp(-values))
    else:
        _require(meaning)
        shown = np.exp(values - values.max())
    return np.asarray(shown, dtype=np.float32)


def density(output: Map, meaning: str) -> NDArray[np.float64]:
    """The same as a density over pixels: (H, W) float64 of sum 1."""
    shown = probability(output, meaning).astype(np.float64)
    mass: NDArray[np.float64] = shown / shown.sum()
    return mass


def output_of(shown: Map, meaning: str) -> Map:
    """An output (H, W) that `probability` reads as `shown` (0-1), up to scale for a density."""
    _require(meaning)
    kept = np.clip(shown.astype(np.float64), _LEAST, 1 - _LEAST)
    back = np.log(kept / (1 - kept)) if meaning == LOGITS else np.log(kept)
    return back.astype(np.float32)


def translated(output: Map, meaning: str, other: str) -> Map:
    """What a network whose output means `other` would have to say for the same map."""
    return output if meaning == other else output_of(probability(output, meaning), other)


def _require(meaning: str) -> None:
    if meaning not in MEANINGS.values():
        known = ", ".join(MEANINGS.values())
        raise UserError(f"an output that means {meaning!r} is not known; known: {known}")
