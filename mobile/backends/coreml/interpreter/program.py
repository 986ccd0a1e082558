"""An ML Program read from its specification, before anything of it is computed.

Numbers in calls of `Message` are fields of Core ML's `Model.proto` and `MIL.proto`, named beside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mobile.backends.coreml import package
from mobile.backends.coreml.interpreter import blob
from mobile.backends.coreml.interpreter.wire import Message
from pipeline.errors import UserError

_TARGETS = {6: "iOS15", 7: "iOS16", 8: "iOS17", 9: "iOS18"}
_TYPES = {
    1: "bool", 2: "string", 10: "fp16", 11: "fp32", 12: "fp64",
    21: "int8", 22: "int16", 23: "int32", 24: "int64", 25: "int4",
    31: "uint8", 32: "uint16", 33: "uint32", 34: "uint64",
    35: "uint4", 36: "uint2", 37: "uint1", 38: "uint6", 39: "uint3",
}  # fmt: skip
_TENSOR = 1
"""Field of a type that says a tensor's."""


@dataclass(frozen=True)
class Output:
    """One result of an operation."""

    name: str
    dtype: str
    """`fp16`, `int8`, …"""
    shape: tuple[int, ...]
    """-1 where only running tells."""


@dataclass(frozen=True)
class Literal:
    """A value written into the operation itself: an array, or a string."""

    value: Any


@dataclass(frozen=True)
class Operation:
    """One step of a program."""

    kind: str
    """`conv`, `const`, …"""
    inputs: Mapping[str, Sequence[str | Literal]]
    """By parameter: names of results, or literals; several only for parameters that take lists."""
    outputs: Sequence[Output]

    @property
    def name(self) -> str:
        """Its first result's."""
        return self.outputs[0].name if self.outputs else "nothing"

    @property
    def constant(self) -> bool:
        """Whether it holds a weight or an argument instead of computing."""
        return self.kind.startswith("const")


class Program:
    """The function `main` of an ML Program."""

    def __init__(self, path: Path) -> None:
        """Read the package `path`; `UserError` when it is damaged, or has other functions."""
        package.check(path)
        self.path = path
        try:
            self._read(Message((path / package.MODEL).read_bytes()))
        except (ValueError, OverflowError, MemoryError) as error:
            raise UserError(f"{path} is damaged ({error}); export it again") from error

    def _read(self, model: Message) -> None:
        version = model.integer(1)  # specificationVersion
        self.target = _TARGETS.get(version, f"specification {version}")
        self.description = model.message(2)
        functions = dict(model.message(502).map(2))  # mlProgram, functions
        if list(functions) != ["main"]:
            raise UserError(
                f"{self.path} has the functions {sorted(functions)}; expected main alone"
            )
        function = functions["main"]
        opset, blocks = function.text(2), dict(function.map(3))  # opset, block_specializations
        if opset not in blocks:
            raise UserError(f"{self.path} has no block for {opset}; export it again")
        self.inputs = [_output(given) for given in function.messages(1)]
        self.results = blocks[opset].texts(2)
        self.operations = [self._operation(each) for each in blocks[opset].messages(3)]

    def _operation(self, read: Message) -> Operation:
        # Older constants hold everything in attributes (5), those of iOS 18 in inputs (2).
        inputs: dict[str, Sequence[str | Literal]] = {
            name: (self._literal(value),) for name, value in read.map(5) if name != "name"
        }
        for name, argument in read.map(2):
            inputs[name] = tuple(
                binding.text(1) if 1 in binding else self._literal(binding.message(2))
                for binding in argument.messages(1)
            )
        return Operation(read.text(1), inputs, [_output(made) for made in read.messages(3)])

    def _literal(self, value: Message) -> Literal:
        if _TENSOR not in value.message(2):
            return Literal(None)  # lists and dictionaries name classes; no arithmetic takes them
        dtype, shape = _tensor_type(value.message(2).message(_TENSOR))
        if 5 in value:  # blobFileValue
            stored = value.message(5)
            file = self.path / Path(package.WEIGHTS).parent / Path(stored.text(1)).name
            return Literal(blob.read(file, stored.integer(2), dtype, shape))
        tensor = value.message(3).message(1)  # immediateValue, tensor
        if dtype == "string":
            texts = tensor.message(4).texts(1)
            return Literal(texts[0] if shape == () and texts else texts)
        return Literal(_immediate(tensor, dtype, shape))


def _immediate(tensor: Message, dtype: str, shape: tuple[int, ...]) -> Any:
    """Values written into the specification, in whichever field their type has."""
    if 7 in tensor:  # bytes
        return blob.decode(tensor.message(7).bytes(1), dtype, shape)
    if 1 in tensor:
        return tensor.message(1).floats(1, "<f4").reshape(shape)
    if 6 in tensor:  # doubles
        return tensor.message(6).floats(1, "<f8").reshape(shape)
    field = next((number for number in (2, 3, 5) if number in tensor), 2)  # ints, bools, longInts
    held = tensor.message(field).integers(1)
    return np.array(held, blob.DENSE.get(dtype, np.int32)).reshape(shape)


def _output(named: Message) -> Output:
    kind = named.message(2)
    if _TENSOR not in kind:
        return Output(named.text(1), "no tensor", ())
    return Output(named.text(1), *_tensor_type(kind.message(_TENSOR)))


def _tensor_type(stated: Message) -> tuple[str, tuple[int, ...]]:
    shape = tuple(side.message(1).integer(1) if 1 in side else -1 for side in stated.messages(3))
    number = stated.integer(1)
    return _TYPES.get(number, f"type {number}"), shape
