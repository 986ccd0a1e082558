"""Rules on a `.tflite`: what XNNPACK leaves, what GPU delegates refuse, float within int8."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mobile.lint.finding import Finding, advice

NAME = "litert"
GPU_REFUSES = (
    "BROADCAST_TO",
    "CAST",
    "GATHER",
    "GATHER_ND",
    "SELECT",
    "SELECT_V2",
    "TRANSPOSE_CONV",
)
MOST_AXES = 4
Operators = Sequence[Mapping[str, Any]]


def read(path: Path) -> tuple[Operators, dict[int, Mapping[str, Any]]]:
    """Operators of a file, delegate nodes left out, and its tensors by index."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    operators = [
        found
        for found in interpreter._get_ops_details()  # noqa: SLF001
        if found["op_name"] != "DELEGATE"
    ]
    return operators, {found["index"]: found for found in interpreter.get_tensor_details()}


def undelegated(counts: Mapping[str, int]) -> Iterator[Finding]:
    """What XNNPACK left to the interpreter."""
    for name, count in counts.items():
        yield Finding(
            NAME, "breaks", name, f"{count} not delegated to XNNPACK on a CPU", advice(name)
        )


def refused_by_gpu(operators: Operators) -> Iterator[Finding]:
    """Operators that GPU delegates hand back to the CPU."""
    counts = Counter(str(found["op_name"]) for found in operators)
    for name in GPU_REFUSES:
        if counts[name]:
            yield Finding(
                NAME, "slows", name, f"{counts[name]} that GPU delegates refuse", advice(name)
            )


def many_axes(operators: Operators, tensors: Mapping[int, Mapping[str, Any]]) -> Iterator[Finding]:
    """Tensors of more axes than a GPU delegate takes, by the operator that makes them."""
    counts: Counter[str] = Counter()
    for found in operators:
        outputs = [tensors[int(i)] for i in found["outputs"] if int(i) in tensors]
        counts[str(found["op_name"])] += any(len(t["shape"]) > MOST_AXES for t in outputs)
    for name, count in counts.items():
        if count:
            yield Finding(
                NAME,
                "slows",
                name,
                f"{count} give tensors of more than {MOST_AXES} axes: GPU delegates refuse them",
                "fold axes of size 1 and batch into others",
            )


def islands(operators: Operators, tensors: Mapping[int, Mapping[str, Any]]) -> Iterator[Finding]:
    """Operators of an int8 file that compute in float."""
    counts: Counter[str] = Counter()
    moved: Counter[str] = Counter()
    for found in operators:
        name = str(found["op_name"])
        outputs = [tensors[int(i)] for i in found["outputs"] if int(i) in tensors]
        if name in {"DEQUANTIZE", "QUANTIZE"} or not any(t["dtype"] == np.float32 for t in outputs):
            continue
        counts[name] += 1
        moved[name] += sum(int(np.prod(t["shape"])) for t in outputs)
    for name, count in counts.items():
        yield Finding(
            NAME,
            "slows",
            name,
            f"{count} compute in float within the int8 file, {moved[name]:,} numbers",
            advice(name),
        )
