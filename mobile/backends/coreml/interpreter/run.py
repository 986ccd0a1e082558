"""A Core ML program followed operator by operator in torch: a reference for its numbers.

Not Core ML's own runtime: it says what the file says, not what a device makes of it, and nothing of
speed. Each result is computed in float32. In `fp16` arithmetic it is then rounded to float16
wherever the program says so, overflow included; sums inside an operator stay float32, which a
device need not do. In `fp32` arithmetic only integers are rounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from mobile.backend import Array, check_image
from mobile.backends.coreml.interpreter import operators, registry
from mobile.backends.coreml.interpreter.program import Literal as Held
from mobile.backends.coreml.interpreter.program import Operation, Output, Program
from mobile.backends.coreml.interpreter.registry import Given, UnsupportedError
from pipeline.errors import UserError

Arithmetic = Literal["fp16", "fp32"]
_INTEGERS = {
    "bool": torch.bool, "int8": torch.int8, "int16": torch.int16, "int32": torch.int32,
    "int64": torch.int64, "uint8": torch.uint8, "uint16": torch.int32, "uint32": torch.int64,
    "uint64": torch.int64, "int4": torch.int8, "uint1": torch.uint8, "uint2": torch.uint8,
    "uint3": torch.uint8, "uint4": torch.uint8, "uint6": torch.uint8,
}  # fmt: skip
_BROKEN = (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError,
           ValueError)  # fmt: skip
"""What wrong arguments of a damaged program make torch raise."""


class Interpreter:
    """A `mobile.backend.Runner`; `evaluate` takes programs of any inputs and outputs.

    `threads` is what was asked for: torch's own pool decides, and nobody times this.
    """

    def __init__(self, path: Path, arithmetic: Arithmetic = "fp16", threads: int = 1) -> None:
        """Read the package and unfold its weights; `UserError` for an operator not known here."""
        operators.load()
        self.path = path
        self.threads = threads
        self.arithmetic = arithmetic
        self.program = Program(path)
        missing = [o for o in self.program.operations if not _known(o)]
        if missing:
            raise UserError(
                f"{path}: the operator {missing[0].kind!r} of {missing[0].name} is not one of the "
                f"{len(registry.names())} that the interpreter knows; run it on macOS, or add it "
                "in mobile/backends/coreml/interpreter/operators"
            )
        _check_names(self.program)
        self._constants: dict[str, Any] = {}
        for operation in self.program.operations:
            if operation.constant:
                self._constants.update(self._step(operation, self._constants))
        self._steps = [o for o in self.program.operations if not o.constant]
        self._spent = _spent(self._steps, self.program.results)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the first input."""
        return self.program.inputs[0].shape

    def prepare(self, image: Array) -> Tensor:
        """`image` (1, 3, H, W) as a tensor."""
        check_image(image, self.shape, self.path)
        return torch.from_numpy(np.ascontiguousarray(image))

    def invoke(self, prepared: Any) -> Array:
        """Follow every operator once."""
        known = self._follow({self.program.inputs[0].name: prepared})
        output: Array = known[self.program.results[0]].numpy()
        return output

    def run(self, image: Array) -> Array:
        """`image` (1, 3, H, W) -> the program's output."""
        return self.invoke(self.prepare(image))

    def evaluate(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Arrays of all inputs by name -> arrays of all outputs by name."""
        given = {i.name: self._rounded(_tensor(inputs[i.name]), i) for i in self.program.inputs}
        known = self._follow(given)
        return {name: known[name].numpy() for name in self.program.results}

    def constant(self, name: str) -> Any:
        """A weight or argument, dense and dequantised; None where it is computed."""
        return self._constants.get(name)

    def _follow(self, inputs: Mapping[str, Tensor]) -> dict[str, Any]:
        known: dict[str, Any] = {**self._constants, **inputs}
        with torch.inference_mode():
            for operation, spent in zip(self._steps, self._spent, strict=True):
                known.update(self._step(operation, known))
                for name in spent:
                    known.pop(name, None)
        return known

    def _step(self, operation: Operation, known: Mapping[str, Any]) -> dict[str, Any]:
        """Results of one operation by name."""
        where = f"{self.path}: {operation.kind} of {operation.name}"
        try:
            given = {
                name: [_tensor(v.value) if isinstance(v, Held) else known[v] for v in values]
                for name, values in operation.inputs.items()
            }
            function = registry.lookup(operation.kind)
            assert function is not None  # looked for when the program was read
            made = function(Given(given))
            results = made if isinstance(made, tuple) else (made,)
            return {
                output.name: self._rounded(result, output)
                for output, result in zip(operation.outputs, results, strict=True)
            }
        except UnsupportedError as error:
            raise UserError(f"{where} is not one that the interpreter knows: {error}") from error
        except _BROKEN as error:
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UserError(f"{where} failed ({said}); the file may be damaged") from error

    def _rounded(self, result: Any, output: Output) -> Any:
        if not isinstance(result, Tensor):
            return result
        if output.dtype in _INTEGERS:
            return result.to(_INTEGERS[output.dtype])
        if output.dtype == "fp16" and self.arithmetic == "fp16":
            return result.half().float()
        return result.float()


def _known(operation: Operation) -> bool:
    return registry.lookup(operation.kind) is not None


def _check_names(program: Program) -> None:
    """`UserError` unless every value is made before it is read, and something is read and given."""
    if not program.inputs or not program.results:
        raise UserError(f"{program.path} takes or gives nothing; export it again")
    made = {given.name for given in program.inputs}
    for operation in program.operations:
        for values in operation.inputs.values():
            for value in values:
                if isinstance(value, str) and value not in made:
                    raise UserError(
                        f"{program.path}: {operation.kind} of {operation.name} reads {value!r}, "
                        "which nothing makes before it; export it again"
                    )
        made |= {output.name for output in operation.outputs}
    if not made.issuperset(program.results):
        raise UserError(f"{program.path} gives what nothing makes; export it again")


def _spent(steps: Sequence[Operation], results: Sequence[str]) -> list[list[str]]:
    """Names that no later step reads, by step: their memory may go."""
    found: list[list[str]] = []
    later = set(results)
    for operation in reversed(steps):
        read = {v for values in operation.inputs.values() for v in values if isinstance(v, str)}
        found.append(sorted(read - later))
        later |= read
    return found[::-1]


def _tensor(held: Any) -> Any:
    """An array as a tensor, floating point as float32; a string as it is."""
    if not isinstance(held, np.ndarray | np.generic):
        return held
    array = np.asarray(held)
    if array.dtype.kind == "f":
        return torch.from_numpy(np.array(array, np.float32))
    if array.dtype in (np.uint16, np.uint32, np.uint64):
        array = array.astype(np.int64)
    return torch.from_numpy(np.array(array))
