"""Arithmetic counted and set against what a device can do: model FLOP utilisation."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

# Dense bf16 tensor-core TFLOP/s in the makers' data sheets, by a part of the device's name.
RATED_BF16 = {
    "H200 NVL": 835.0,
    "H200": 989.4,
    "H100 PCIe": 756.0,
    "H100 NVL": 835.0,
    "H100": 989.4,
    "A100": 312.0,
}


def flops(work: Callable[[], object]) -> int:
    """Floating-point operations of `work`: two for each multiply-add, as torch counts them.

    But for backward convolutions: torch counts a grouped one as if it had a single group.
    """
    ours = {torch.ops.aten.convolution_backward: _convolution_backward}
    with FlopCounterMode(display=False, custom_mapping=ours) as counter:
        work()
    counted: int = counter.get_total_flops()
    return counted


def _convolution_backward(
    gradient: Sequence[int],
    images: Sequence[int],
    weight: Sequence[int],
    _bias: object,
    _stride: object,
    _padding: object,
    _dilation: object,
    transposed: bool,
    _output_padding: object,
    _groups: object,
    wanted: Sequence[bool],
    **_others: Any,
) -> int:
    """Each of the gradients of images and weights has as many operations as the forward."""
    places = images if transposed else gradient
    forward = 2 * places[0] * math.prod(places[2:]) * math.prod(weight)
    return forward * (wanted[0] + wanted[1])


def rated(device: torch.device, precision: str) -> float | None:
    """FLOP/s that the maker states for this device in bf16, if we know it."""
    if device.type != "cuda" or precision != "bf16":
        return None
    name = torch.cuda.get_device_name(device)
    return next((1e12 * value for part, value in RATED_BF16.items() if part in name), None)


def kernels(device: torch.device, precision: str) -> dict[str, float]:
    """FLOP/s of a large matrix product and of a large 3x3 convolution: on CPUs two libraries'."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    size, batch = (8192, 64) if device.type == "cuda" else (1024, 4)
    a, b = (torch.rand(size, size, device=device, dtype=dtype) for _ in range(2))
    images = torch.rand(batch, 256, 56, 56, device=device, dtype=dtype)
    images = images.contiguous(memory_format=torch.channels_last)
    weight = torch.rand(256, 256, 3, 3, device=device, dtype=dtype)
    with torch.inference_mode():
        return {
            "matrix product": _rate(lambda: a @ b, device),
            "convolution": _rate(lambda: functional.conv2d(images, weight, padding=1), device),
        }


def reached(device: torch.device, precision: str) -> float:
    """FLOP/s of the quicker of `kernels`: what this device gives in practice."""
    return max(kernels(device, precision).values())


def _rate(work: Callable[[], object], device: torch.device) -> float:
    times = []
    for _ in range(8):
        wait(device)
        start = time.perf_counter()
        work()
        wait(device)
        times.append(time.perf_counter() - start)
    return flops(work) / statistics.median(times[2:])


def utilisation(
    operations: float, images_per_s: float, device: torch.device, precision: str
) -> dict[str, float | None]:
    """Operations per image and what part of the device they fill at a rate."""
    used, peak = operations * images_per_s, rated(device, precision)
    return {
        "gflop_per_image": round(operations / 1e9, 3),
        "tflop_per_s": round(used / 1e12, 4),
        "of_the_reached_peak": round(used / reached(device, precision), 3),
        "of_the_rated_peak": None if peak is None else round(used / peak, 4),
    }


class Segments:
    """Seconds by name of what a loop does one after the other; a GPU is waited for at each end."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds: dict[str, float] = {}
        self._last = 0.0

    def start(self) -> None:
        """Count from now on."""
        wait(self.device)
        self._last = time.perf_counter()

    def end(self, name: str) -> None:
        """What came since the last end was `name`."""
        wait(self.device)
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now

    def shares(self) -> dict[str, float]:
        """Part of the whole by name."""
        whole = sum(self.seconds.values())
        return {name: round(value / whole, 3) for name, value in self.seconds.items()}


def wait(device: torch.device) -> None:
    """Until a GPU has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
