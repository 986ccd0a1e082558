"""An ML Program followed operator by operator in torch, where Core ML itself cannot run.

Written from the operators' published definitions, for the operators our students become. Each
result is computed in float32 and rounded to the type the program gives it, so fp16 overflow and
rounding show; the accumulation inside a convolution stays float32, which devices need not do.
This proves what the file says, not what a device does with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobile.backend import Array, check_image
from mobile.backends.coreml.program import Program, is_constant, value

if TYPE_CHECKING:
    from torch import Tensor

Arguments = Mapping[str, Any]
_OPERATORS: dict[str, Callable[[Arguments], Tensor]] = {}


def _operator(name: str) -> Callable[[Callable[[Arguments], Tensor]], Callable[..., Tensor]]:
    def add(function: Callable[[Arguments], Tensor]) -> Callable[[Arguments], Tensor]:
        _OPERATORS[name] = function
        return function

    return add


class Replay:
    """A `mobile.backend.Runner` over a program that `unknown` finds nothing in."""

    threads = 1

    def __init__(self, program: Program) -> None:
        self.path: Path = program.path
        self._program = program
        self._constants = {
            variable.name: _tensor(value(variable))
            for operation in program.operations
            if is_constant(operation)
            for variable in operation.outputs
        }

    def prepare(self, image: Array) -> Tensor:
        """`image` (1, 3, H, W) as a tensor."""
        import torch

        check_image(image, self._program.inputs[0].shape, self.path)
        return torch.from_numpy(np.ascontiguousarray(image))

    def invoke(self, prepared: Any) -> Array:
        """Follow every operator once."""
        import torch

        known = {**self._constants, self._program.inputs[0].name: prepared}
        with torch.inference_mode():
            for operation in self._program.operations:
                if not is_constant(operation):
                    arguments = {k: _resolved(v, known) for k, v in operation.inputs.items()}
                    result = operation.outputs[0]
                    raw = _OPERATORS[operation.op_type](arguments)
                    known[result.name] = _rounded(raw, result.dtype.__name__)
        output: Array = known[self._program.results[0].name].numpy()
        return output

    def run(self, image: Array) -> Array:
        """`image` (1, 3, H, W) -> the program's output."""
        return self.invoke(self.prepare(image))


def unknown(program: Program) -> list[str]:
    """Operators of `program` that cannot be replayed."""
    return sorted({o.op_type for o in program.operations if not is_constant(o)} - set(_OPERATORS))


def _tensor(held: Any) -> Any:
    """Floating-point constants as float32 tensors, everything else as it is."""
    import torch

    if isinstance(held, np.ndarray | np.floating) and np.issubdtype(held.dtype, np.floating):
        return torch.from_numpy(np.asarray(held, np.float32))
    return held


def _resolved(variable: Any, known: Mapping[str, Any]) -> Any:
    if variable is None:
        return None
    if isinstance(variable, list | tuple):
        return [known[part.name] for part in variable]
    return known[variable.name]


def _rounded(result: Tensor, kind: str) -> Tensor:
    return result.half().float() if kind == "fp16" else result.float()


def _whole(numbers: Any) -> list[int]:
    return [int(number) for number in np.atleast_1d(numbers)]


@_operator("cast")
def _cast(given: Arguments) -> Tensor:
    result: Tensor = given["x"]
    return result


@_operator("add")
def _add(given: Arguments) -> Tensor:
    result: Tensor = given["x"] + given["y"]
    return result


@_operator("sub")
def _sub(given: Arguments) -> Tensor:
    result: Tensor = given["x"] - given["y"]
    return result


@_operator("mul")
def _mul(given: Arguments) -> Tensor:
    result: Tensor = given["x"] * given["y"]
    return result


@_operator("relu")
def _relu(given: Arguments) -> Tensor:
    result: Tensor = given["x"].clamp(min=0)
    return result


@_operator("clip")
def _clip(given: Arguments) -> Tensor:
    result: Tensor = given["x"].clamp(float(given["alpha"]), float(given["beta"]))
    return result


@_operator("sigmoid")
def _sigmoid(given: Arguments) -> Tensor:
    result: Tensor = given["x"].sigmoid()
    return result


@_operator("silu")
def _silu(given: Arguments) -> Tensor:
    result: Tensor = given["x"] * given["x"].sigmoid()
    return result


@_operator("conv")
def _conv(given: Arguments) -> Tensor:
    import torch.nn.functional as F

    pads = {"custom": _whole(given["pad"]), "valid": [0, 0, 0, 0]}
    top, bottom, left, right = pads[str(given["pad_type"])]
    return F.conv2d(
        F.pad(given["x"], (left, right, top, bottom)),
        given["weight"],
        given.get("bias"),
        _whole(given["strides"]),
        0,
        _whole(given["dilations"]),
        int(given["groups"]),
    )


@_operator("linear")
def _linear(given: Arguments) -> Tensor:
    import torch.nn.functional as F

    return F.linear(given["x"], given["weight"], given.get("bias"))


@_operator("concat")
def _concat(given: Arguments) -> Tensor:
    import torch

    if given.get("interleave"):
        raise NotImplementedError("an interleaved concat")
    return torch.cat(given["values"], int(given["axis"]))


@_operator("pixel_shuffle")
def _pixel_shuffle(given: Arguments) -> Tensor:
    import torch.nn.functional as F

    return F.pixel_shuffle(given["x"], int(given["upscale_factor"]))


@_operator("upsample_bilinear")
def _upsample_bilinear(given: Arguments) -> Tensor:
    import torch.nn.functional as F

    aligned = bool(given["align_corners"])
    if not aligned and given.get("half_pixel_centers") is False:
        raise NotImplementedError("upsample_bilinear without half-pixel centres")
    factors = (given["scale_factor_height"], given["scale_factor_width"])
    sides = zip(given["x"].shape[-2:], factors, strict=True)
    size = [round(side * float(factor)) for side, factor in sides]
    return F.interpolate(given["x"], size, mode="bilinear", align_corners=aligned)


@_operator("upsample_nearest_neighbor")
def _upsample_nearest_neighbor(given: Arguments) -> Tensor:
    factors = [float(given["scale_factor_height"]), float(given["scale_factor_width"])]
    if any(factor != int(factor) for factor in factors):
        raise NotImplementedError("upsample_nearest_neighbor by a fraction")
    height, width = (int(factor) for factor in factors)
    result: Tensor = given["x"].repeat_interleave(height, 2).repeat_interleave(width, 3)
    return result


@_operator("reduce_mean")
def _reduce_mean(given: Arguments) -> Tensor:
    result: Tensor = given["x"].mean(_whole(given["axes"]), keepdim=bool(given["keep_dims"]))
    return result
