"""Padding and output sizes that convolution and pooling share. No operators of its own."""

from __future__ import annotations

from collections.abc import Sequence

from mobile.backends.coreml.interpreter.registry import Given, UnsupportedError

Pads = list[tuple[int, int]]
"""Before and after, by spatial axis, the first axis first."""


def pads(given: Given, sides: Sequence[int], kernel: Sequence[int], strides: Sequence[int]) -> Pads:
    """What `pad_type` and `pad` ask for; `kernel` counts its holes in."""
    kind = given.text("pad_type", "valid").lower()
    if kind == "valid":
        return [(0, 0)] * len(sides)
    if kind == "custom":
        flat = given.wholes("pad", [0] * 2 * len(sides))
        return list(zip(flat[::2], flat[1::2], strict=True))
    if kind not in ("same", "same_lower"):
        raise UnsupportedError(f"pad_type {kind}")
    found = []
    for side, size, stride in zip(sides, kernel, strides, strict=True):
        total = max(0, -(-side // stride) * stride - side + size - stride)
        less, more = total // 2, total - total // 2
        found.append((less, more) if kind == "same" else (more, less))
    return found


def flat(pads: Pads) -> list[int]:
    """As torch's `pad` takes them: the last axis first."""
    return [number for pair in reversed(pads) for number in pair]


def spread(kernel: Sequence[int], dilations: Sequence[int]) -> list[int]:
    """Sides of a kernel with its holes."""
    return [(size - 1) * hole + 1 for size, hole in zip(kernel, dilations, strict=True)]
