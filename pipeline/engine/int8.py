"""A forward pass that rounds as an exported int8 file does, to train through (Jacob et al., 2018).

Weights are rounded symmetrically per output channel, what operators read asymmetrically per tensor,
both with gradients straight through where nothing was clipped. Ranges of activations are means over
images of each image's extremes, as export calibrates them, followed slowly while weights move.
Batch norm keeps its statistics: it is folded into convolutions in a file, and a positive factor per
output channel changes nothing in what per-channel rounding does to a weight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

FLOAT_TAIL = 0.01
"""Share of the multiply-accumulates up to which the last convolution stays in float, as exported
(`mobile.backends.executorch.tail`)."""
FOLLOW = 0.01
"""How far ranges move towards each batch's, once they are calibrated."""
SMALLEST_SCALE = 2**-12
_CONVOLUTIONS = (torch.conv2d, F.linear)
_ROUNDED = (
    torch.cat,
    torch.add,
    torch.Tensor.add,
    torch.Tensor.add_,
    torch.Tensor.__iadd__,
    torch.mul,
    torch.Tensor.mul,
    torch.pixel_shuffle,
    F.interpolate,
    F.adaptive_avg_pool2d,
    F.avg_pool2d,
)
"""Operators that read eight bits. What lies between (activations, batch norm) is fused into the
operator before it, whose output they round."""
Rounding = Callable[[Tensor], Tensor]


class Ranges(nn.Module):
    """Range of every place where activations are rounded; trained along, never shipped."""

    low: Tensor
    high: Tensor
    seen: Tensor

    def __init__(self, places: int) -> None:
        super().__init__()
        self.register_buffer("low", torch.zeros(places))
        self.register_buffer("high", torch.zeros(places))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def follow(self, place: int, x: Tensor) -> None:
        """Move the range of `place` towards the mean extremes of images `x` (B, …)."""
        share = max(1 / (int(self.seen) + 1), FOLLOW)
        dims = tuple(range(1, x.dim()))
        self.low[place].lerp_(x.amin(dims).mean().float(), share)
        self.high[place].lerp_(x.amax(dims).mean().float(), share)

    def rounded(self, place: int, x: Tensor) -> Tensor:
        """`x` on the 256 levels of its range, in which zero is exact."""
        low, high = self.low[place].clamp(max=0.0), self.high[place].clamp(min=0.0)
        scale = ((high - low) / 255).clamp_min(SMALLEST_SCALE)
        zero = (-128 - low / scale).round().clamp(-128, 127).to(torch.int32)
        return torch.fake_quantize_per_tensor_affine(x.float(), scale, zero, -128, 127).to(x.dtype)


class Int8View(nn.Module):
    """`student` with int8 rounding; the same parameters, and `ranges` beside them.

    While the student is in training mode, ranges follow the images it sees.
    """

    def __init__(self, student: nn.Module, ranges: Ranges, float_tail: int | None) -> None:
        super().__init__()
        self.student = student
        self.ranges = ranges
        self.float_tail = float_tail
        """Which convolution, in order of computation, stays in float."""

    def forward(self, images: Tensor) -> Tensor:
        """Images as the student takes them -> its output, as int8 arithmetic would give it."""
        return self.passed(images, follow=self.student.training)

    def passed(self, images: Tensor, follow: bool) -> Tensor:
        """`forward`, with or without ranges that follow the images."""
        place = -1

        def rounded(x: Tensor) -> Tensor:
            nonlocal place
            place += 1
            if follow:
                self.ranges.follow(place, x)
            return self.ranges.rounded(place, x)

        with _Rounded(rounded, self.float_tail):
            output: Tensor = self.student(images)
        if self.float_tail is None:
            output = rounded(output)
        if follow:
            self.ranges.seen += 1
        return output


def int8_view(student: nn.Module, images: Iterable[Tensor]) -> Int8View:
    """A view of `student`, which is put into eval mode, calibrated on `images` (1, 3, H, W) each.

    Raises `ValueError` without images.
    """
    view: Int8View | None = None
    student.eval()
    with torch.no_grad():
        for image in images:
            view = view or _uncalibrated(student, image)
            view.passed(image, follow=True)
    if view is None:
        raise ValueError("no images to calibrate on")
    return view


def _uncalibrated(student: nn.Module, images: Tensor) -> Int8View:
    places = 1  # the output's

    def counted(x: Tensor) -> Tensor:
        nonlocal places
        places += 1
        return x

    with _Rounded(counted, None) as seen:
        student(images)
    ends_small = seen.macs and seen.macs[-1] <= FLOAT_TAIL * sum(seen.macs)
    tail = len(seen.macs) - 1 if ends_small else None
    return Int8View(student, Ranges(places).to(images.device), tail)


class _Rounded(TorchFunctionMode):
    """Inside the block, operators read rounded values and weights."""

    def __init__(self, rounded: Rounding, float_tail: int | None) -> None:
        super().__init__()
        self.rounded = rounded
        self.float_tail = float_tail
        self.macs: list[int] = []
        """Multiply-accumulates of each convolution so far."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _CONVOLUTIONS:
            return self._convolution(func, *args, **kwargs)
        if func is F.batch_norm:
            return _frozen(*args, **kwargs)
        if func in _ROUNDED:
            args = tuple(self._read(value) for value in args)
        return func(*args, **kwargs)

    def _read(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return type(value)(self._read(each) for each in value)
        # Numbers and constants are no activations.
        return self.rounded(value) if isinstance(value, Tensor) and value.dim() > 1 else value

    def _convolution(self, func: Any, x: Tensor, weight: Tensor, *args: Any, **kwargs: Any) -> Any:
        if len(self.macs) == self.float_tail:
            output = func(x, weight, *args, **kwargs)
        else:
            output = func(self.rounded(x), rounded_weight(weight), *args, **kwargs)
        self.macs.append(output[0].numel() * weight[0].numel())
        return output


def rounded_weight(weight: Tensor) -> Tensor:
    """A weight on 255 levels per output channel (its first axis), zero in their middle."""
    largest = weight.detach().float().flatten(1).abs().amax(1)
    scale = (largest / 127).clamp_min(torch.finfo(torch.float32).tiny)
    zeros = torch.zeros_like(scale, dtype=torch.int32)
    rounded = torch.fake_quantize_per_channel_affine(weight.float(), scale, zeros, 0, -127, 127)
    return rounded.to(weight.dtype)


def _frozen(*args: Any, **kwargs: Any) -> Tensor:
    """Batch norm by its running statistics, whatever the mode; arguments as `F.batch_norm`'s."""
    names = (
        "input",
        "running_mean",
        "running_var",
        "weight",
        "bias",
        "training",
        "momentum",
        "eps",
    )
    given = dict(zip(names, args, strict=False)) | kwargs
    return F.batch_norm(**(given | {"training": False}))
