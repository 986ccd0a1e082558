"""What a Core ML package says of itself: its ports, operators, types, and every weight."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mobile.backends.coreml.interpreter.program import Literal, Operation
from mobile.backends.coreml.interpreter.run import Interpreter
from mobile.backends.coreml.interpreter.wire import Message
from mobile.inspection import Port
from pipeline.errors import UserError

Values = npt.NDArray[np.float64]

_ARRAYS = {65552: "float16", 65568: "float32", 65600: "float64", 131104: "int32"}
_AFFINE = "constexpr_affine_dequantize"
_BLOCKWISE = "constexpr_blockwise_shift_scale"
_PALETTE = "constexpr_lut_to_dense"
_WEIGHTED = ("conv", "conv_transpose", "linear")


@dataclass(frozen=True)
class Kernel:
    """The weight of one convolution or linear layer as the package stores it."""

    name: str
    kind: str
    """`conv`, `conv_transpose` or `linear`."""
    stored: str
    """Type in the weight file: `fp16`, `int8`, …; `palette6` for indices of six bits."""
    weight: Values
    """Dequantised, in the operator's own layout."""
    step: Values
    """Distance of two neighbouring levels, broadcast to `weight`; 0 where not quantised."""
    palettes: Values | None
    """Levels (G, N) of each of G equal groups along the first axis; None without a palette."""
    bias: Values | None
    geometry: dict[str, tuple[int, ...]]
    """`strides`, `pad` (top, bottom, left, right), `dilations`, `groups` of a convolution."""


class Package:
    """A package opened for inspection."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._program = interpreter.program
        self._made = {o.name: o for o in self._program.operations}

    @property
    def target(self) -> str:
        """Oldest system that loads it."""
        return self._program.target

    @property
    def operators(self) -> dict[str, int]:
        """Every operator but constants, with its count."""
        counted = Counter(o.kind for o in self._program.operations if o.kind != "const")
        return dict(sorted(counted.items()))

    @property
    def computed(self) -> dict[str, int]:
        """How many results have each type, those of weights apart."""
        counted = Counter(o.outputs[0].dtype for o in self._program.operations if not o.constant)
        return dict(sorted(counted.items()))

    @property
    def inputs(self) -> list[Port]:
        """As the package declares them."""
        return [_port(feature) for feature in self._program.description.messages(1)]

    @property
    def outputs(self) -> list[Port]:
        """As the package declares them."""
        return [_port(feature) for feature in self._program.description.messages(10)]

    def kernels(self) -> list[Kernel]:
        """Weights of all convolutions and linear layers, in the order they run."""
        return [self._kernel(o) for o in self._program.operations if o.kind in _WEIGHTED]

    def _kernel(self, operation: Operation) -> Kernel:
        weight = self._value(operation, "weight")
        if weight is None:
            raise UserError(f"{operation.kind} {operation.name} has a computed weight")
        dense = np.asarray(weight, np.float64)
        names = ("strides", "pad", "dilations", "groups")
        given = {n: self._value(operation, n) for n in names}
        bias = self._value(operation, "bias")
        stored, step, palettes = self._storage(operation)
        return Kernel(
            name=operation.name,
            kind=operation.kind,
            stored=stored,
            weight=dense,
            step=np.broadcast_to(step, dense.shape),
            palettes=palettes,
            bias=None if bias is None else np.asarray(bias, np.float64),
            geometry={n: _whole(held) for n, held in given.items() if held is not None},
        )

    def _storage(self, operation: Operation) -> tuple[str, Values, Values | None]:
        """How the weight of `operation` is stored: type, step and palettes."""
        (source,) = operation.inputs["weight"]
        made = None if isinstance(source, Literal) else self._made[source]
        exact = np.zeros(1)
        if made is None or made.kind == "const":
            return self._type(operation, "weight"), exact, None
        if made.kind == _AFFINE:
            scale = np.asarray(self._value(made, "scale"), np.float64)
            shape = [1] * len(made.outputs[0].shape)
            if scale.ndim:
                shape[int(self._value(made, "axis"))] = -1
            return self._type(made, "quantized_data"), scale.reshape(shape), None
        if made.kind == _BLOCKWISE:
            scale = np.asarray(self._value(made, "scale"), np.float64)
            blocks = zip(made.outputs[0].shape, scale.shape, strict=True)
            for axis, (side, count) in enumerate(list(blocks)):
                scale = np.repeat(scale, side // count, axis)
            return self._type(made, "data"), scale, None
        if made.kind == _PALETTE:
            table = np.asarray(self._value(made, "lut"), np.float64)
            entries = table.size if table.ndim == 1 else table.shape[-2]
            palettes = table.reshape(-1, entries)
            return f"palette{int(np.log2(entries))}", exact, palettes
        return made.kind, exact, None

    def _value(self, operation: Operation, name: str) -> Any:
        (source,) = operation.inputs.get(name, (Literal(None),))
        return source.value if isinstance(source, Literal) else self._interpreter.constant(source)

    def _type(self, operation: Operation, name: str) -> str:
        (source,) = operation.inputs[name]
        if isinstance(source, Literal):
            return str(np.asarray(source.value).dtype)
        return self._made[source].outputs[0].dtype


def _whole(numbers: Any) -> tuple[int, ...]:
    return tuple(int(number) for number in np.atleast_1d(np.asarray(numbers)))


def _port(feature: Message) -> Port:
    """Of a `FeatureDescription`: name (1), type (3) with a multi-array (5) or another kind."""
    kind = feature.message(3)
    if 5 not in kind:
        return Port(feature.text(1), (), "no multi-array")
    array = kind.message(5)
    number = array.integer(2)
    return Port(feature.text(1), tuple(array.integers(1)), _ARRAYS.get(number, str(number)))
