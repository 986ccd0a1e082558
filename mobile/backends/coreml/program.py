"""What a Core ML package computes, read back from its specification and weight file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mobile.backends.coreml import package
from mobile.inspection import Port
from pipeline.errors import UserError

Values = npt.NDArray[np.float64]

_TARGETS = {6: "iOS15", 7: "iOS16", 8: "iOS17", 9: "iOS18"}
_TYPES = {65552: "float16", 65568: "float32", 65600: "float64", 131104: "int32"}
_DEQUANTISE = "constexpr_affine_dequantize"
_WEIGHTED = ("conv", "conv_transpose", "linear")


@dataclass(frozen=True)
class Kernel:
    """The weight of one convolution or linear layer as the package stores it."""

    name: str
    kind: str
    """`conv`, `conv_transpose` or `linear`."""
    stored: str
    """Type in the weight file: `fp16`, `int8`, …"""
    weight: Values
    """Dequantised, in the operator's own layout."""
    step: Values
    """Distance of two neighbouring levels, broadcast to `weight`; 0 where not quantised."""
    bias: Values | None
    geometry: dict[str, tuple[int, ...]]
    """`strides`, `pad` (top, bottom, left, right), `dilations`, `groups` of a convolution."""


class Program:
    """The one function of an ML Program."""

    def __init__(self, path: Path) -> None:
        package.check(path)
        from coremltools.converters.mil.frontend.milproto.load import load
        from coremltools.proto import Model_pb2

        self.path = path
        self.model = Model_pb2.Model()
        self.model.ParseFromString((path / package.MODEL).read_bytes())
        version = self.model.specificationVersion
        weights = str((path / package.WEIGHTS).parent)
        functions = load(self.model, version, weights).functions
        if list(functions) != ["main"]:
            raise UserError(f"{path} has the functions {sorted(functions)}; expected main alone")
        self.target = _TARGETS.get(version, f"specification {version}")
        self.operations: list[Any] = list(functions["main"].operations)
        self.results: list[Any] = list(functions["main"].outputs)

    @property
    def operators(self) -> dict[str, int]:
        """Every operator but constants, with its count."""
        counted = Counter(o.op_type for o in self.operations if o.op_type != "const")
        return dict(sorted(counted.items()))

    @property
    def computed(self) -> dict[str, int]:
        """How many results have each type, those of weights apart."""
        counted = Counter(
            o.outputs[0].dtype.__name__ for o in self.operations if not is_constant(o)
        )
        return dict(sorted(counted.items()))

    @property
    def inputs(self) -> list[Port]:
        """As the package declares them."""
        return [_port(feature) for feature in self.model.description.input]

    @property
    def outputs(self) -> list[Port]:
        """As the package declares them."""
        return [_port(feature) for feature in self.model.description.output]

    def kernels(self) -> list[Kernel]:
        """Weights of all convolutions and linear layers, in the order they run."""
        return [_kernel(o) for o in self.operations if o.op_type in _WEIGHTED]


def is_constant(operation: Any) -> bool:
    """Whether an operation holds a weight or an argument instead of computing."""
    return str(operation.op_type).startswith("const")


def value(variable: Any) -> Any:
    """A constant's value, dequantised where it is stored in fewer bits; None when computed."""
    operation = variable.op
    if operation is not None and operation.op_type == _DEQUANTISE:
        return operation.materialized_val_inference()
    return variable.val


def _kernel(operation: Any) -> Kernel:
    given = operation.inputs
    weight = given["weight"]
    if value(weight) is None:
        raise UserError(f"{operation.op_type} {operation.name} has a computed weight")
    dense = np.asarray(value(weight), np.float64)
    stored, step = str(weight.dtype.__name__), np.zeros(1)
    if weight.op.op_type == _DEQUANTISE:
        levels = weight.op.inputs["quantized_data"].val
        scale = np.asarray(weight.op.inputs["scale"].val, np.float64)
        stored, step = str(levels.dtype), _along(scale, weight.op.inputs["axis"].val, dense.ndim)
    bias = given.get("bias")
    names = ("strides", "pad", "dilations", "groups")
    return Kernel(
        name=str(operation.name),
        kind=str(operation.op_type),
        stored=stored,
        weight=dense,
        step=np.broadcast_to(step, dense.shape),
        bias=None if bias is None else np.asarray(bias.val, np.float64),
        geometry={n: _whole(given[n].val) for n in names if given.get(n) is not None},
    )


def _along(scale: Values, axis: int, rank: int) -> Values:
    shape = [1] * rank
    shape[int(axis)] = -1
    return scale.reshape(shape)


def _whole(numbers: Any) -> tuple[int, ...]:
    return tuple(int(number) for number in np.atleast_1d(numbers))


def _port(feature: Any) -> Port:
    kind = feature.type.WhichOneof("Type")
    if kind != "multiArrayType":
        return Port(feature.name, (), str(kind))
    array = feature.type.multiArrayType
    shape = tuple(int(side) for side in array.shape)
    return Port(feature.name, shape, _TYPES.get(array.dataType, str(array.dataType)))
