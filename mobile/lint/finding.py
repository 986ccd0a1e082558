"""One thing that lint found, and what is known to help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["breaks", "slows", "note"]
"""`breaks`: no file, or operators outside of the delegate; `slows`: it runs, at a cost."""


@dataclass(frozen=True)
class Finding:
    """Where in which backend's graph, what, and the rewrite to apply."""

    backend: str
    severity: Severity
    where: str
    """Operator, with the module it comes from where that is known."""
    what: str
    rewrite: str


ADVICE = {
    "pixel_shuffle": "keep few channels at the shuffle: convolve before it, as FastSal (A)'s "
    "subpixel_head form does",
    "upsample_bilinear2d": "mix channels at the low resolution and upsample fewer, as FastSal "
    "(C)'s taps form does",
    "upsample_nearest2d": "repeat by reshape and expand, or upsample bilinearly",
    "conv_transpose2d": "convolve to r*r times the channels and PixelShuffle",
    "adaptive_avg_pool2d": "take the mean over both axes for size 1, else avg_pool2d of fixed size",
    "layer_norm": "keep channels last throughout, or use batch norm, which folds away",
    "native_layer_norm": "keep channels last throughout, or use batch norm, which folds away",
    "group_norm": "use batch norm, which folds into convolutions",
    "gelu": "use ReLU6 or hardswish",
    "hardswish": "use ReLU6",
    "silu": "use hardswish or ReLU6",
    "sigmoid": "return logits and apply the sigmoid outside of the file",
    "softmax": "return logits and apply the softmax outside of the file",
    "GATHER": "index with constant slices",
    "GATHER_ND": "index with constant slices",
    "CAST": "keep float32 throughout, inputs included",
    "SELECT": "multiply by a 0/1 constant",
    "SELECT_V2": "multiply by a 0/1 constant",
    "BROADCAST_TO": "let the arithmetic broadcast by itself",
    "TRANSPOSE_CONV": "convolve to r*r times the channels and PixelShuffle",
}
"""By operator, without namespace and overload: what to write instead."""
UNKNOWN = "write it with convolutions, additions, concatenations and fixed sizes, or keep it out"


def advice(operator: str) -> str:
    """The rewrite for an operator such as `aten.pixel_shuffle.default` or `CAST`."""
    parts = operator.split(".")
    name = parts[1] if parts[0] == "aten" and len(parts) > 1 else parts[0]
    return ADVICE.get(name.removesuffix("_copy"), UNKNOWN)
