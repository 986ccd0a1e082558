"""Every weight of a package beside the one torch has: the same up to what its type can hold.

Torch's side is traced and decomposed as for the conversion, but folded here, in float64: the
weights of a convolution that batch normalisation follows are scaled as Ioffe and Szegedy's
inference formula says. Layers are paired in the order they run.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mobile.backends.coreml.program import Kernel, Values
from mobile.inspection import Weights

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.fx import Node

_ROUNDING = 2.0**-11
"""Largest relative error of one rounding to float16 …"""
_SMALLEST = 2.0**-24
"""… and the smallest number above zero, which the converter also writes for what would become 0."""
_NORMAL = 2.0**-14
"""Smallest number that float16 holds with full precision."""
_FOLDING = 2.0**-18
"""Folding in float32, as the converter does, relative to the largest value."""
_ROUNDINGS = {"fp32": 0, "fp16": 1}
_DEQUANTISED = 3
"""Roundings behind a dequantised value: before quantising, of the step, of the product."""


@dataclass(frozen=True)
class Layer:
    """A convolution or linear layer of torch, batch normalisation folded in."""

    name: str
    kind: str
    weight: Values
    bias: Values | None
    geometry: dict[str, tuple[int, ...]]


def layers(module: nn.Module, shape: tuple[int, ...]) -> list[Layer]:
    """Convolutions and linear layers of `module` on images of `shape`, in the order they run."""
    import torch

    program = torch.export.export(module, (torch.zeros(shape),)).run_decompositions({})
    graph = program.module()
    found = []
    for node in graph.graph.nodes:
        layer = _layer(graph, node) if node.op == "call_function" else None
        if layer is not None:
            norm = _batch_norm(node)
            found.append(layer if norm is None else _folded(layer, graph, norm))
    return found


def compare(kernels: Sequence[Kernel], expected: Sequence[Layer]) -> tuple[Weights, list[str]]:
    """How alike the two are, and a line for each weight that is not what it should be."""
    problems = []
    if len(kernels) != len(expected):
        problems.append(f"{len(kernels)} weights in the file, {len(expected)} in torch")
    matched, values, largest = 0, 0, 0.0
    for kernel, layer in zip(kernels, expected, strict=False):
        differs = _structure(kernel, layer)
        if differs:
            problems.append(f"{kernel.name} is not torch's {layer.name}: {differs}")
            continue
        bias, unequal = _biases(kernel, layer), 0
        for part, got, want, bound in (
            ("weight", kernel.weight, layer.weight, _bound(kernel, layer.weight)),
            ("bias", *bias, _allowed(bias[1], 1)),
        ):
            values += got.size
            error = np.nan_to_num(np.abs(got - want), nan=np.inf)
            most = float(error.max(initial=0.0))
            largest = max(largest, most / max(float(np.abs(want).max(initial=0.0)), _NORMAL))
            wrong = int((error > bound).sum())
            unequal += wrong
            if wrong:
                problems.append(
                    f"{wrong} of {got.size} values of {kernel.name}'s {part} are further from "
                    f"torch's {layer.name} than rounding explains, by up to {most:.2g}"
                )
        matched += not unequal
    stored = dict(sorted(Counter(kernel.stored for kernel in kernels).items()))
    known = largest if np.isfinite(largest) else None
    return Weights(matched, len(kernels), values, stored, known), problems


def _structure(kernel: Kernel, layer: Layer) -> str | None:
    if kernel.kind != layer.kind:
        return f"a {kernel.kind}, not a {layer.kind}"
    if kernel.weight.shape != layer.weight.shape:
        return f"shape {kernel.weight.shape}, not {layer.weight.shape}"
    for name, want in layer.geometry.items():
        got = kernel.geometry.get(name, want)
        if got != want:
            return f"{name} {got}, not {want}"
    return None


def _biases(kernel: Kernel, layer: Layer) -> tuple[Values, Values]:
    """Both biases, zeros where there is none; the file may hold zeros where torch has nothing."""
    present = [bias for bias in (kernel.bias, layer.bias) if bias is not None]
    none = np.zeros_like(present[0]) if present else np.zeros(0)
    return (
        none if kernel.bias is None else kernel.bias,
        none if layer.bias is None else layer.bias,
    )


def _bound(kernel: Kernel, want: Values) -> Values:
    """Largest sound difference of each weight, from the type it is stored in."""
    if kernel.palettes is not None:
        # No level may be nearer than the one that was chosen.
        return _nearest(kernel.palettes, want) + _allowed(want, _DEQUANTISED)
    if kernel.step.any():
        # A float16 step moves the whole grid; the level itself is off by half a step at most.
        return kernel.step / 2 + _allowed(want, _DEQUANTISED) + 127 * _SMALLEST
    return _allowed(want, _ROUNDINGS.get(kernel.stored, 0))


def _nearest(palettes: Values, want: Values) -> Values:
    """How far each value is from the nearest level of its group's palette."""
    found = []
    for levels, group in zip(palettes, np.array_split(want, len(palettes)), strict=True):
        ordered = np.sort(levels)
        at = np.clip(np.searchsorted(ordered, group), 1, len(ordered) - 1)
        found.append(np.minimum(np.abs(group - ordered[at - 1]), np.abs(group - ordered[at])))
    return np.concatenate(found)


def _allowed(want: Values, roundings: int) -> Values:
    most = np.abs(want).max(initial=0.0)
    rounding = roundings * (np.abs(want) * _ROUNDING + _SMALLEST)
    result: Values = rounding + most * _FOLDING
    return result


def _layer(graph: torch.fx.GraphModule, node: Node) -> Layer | None:
    import torch

    aten = torch.ops.aten
    arguments = _arguments(node)
    if node.target in (aten.conv2d.default, aten.conv2d.padding):
        kind = "conv"
    elif node.target is aten.convolution.default:
        kind = "conv_transpose" if arguments["transposed"] else "conv"
    elif node.target is aten.conv_transpose2d.input:
        kind = "conv_transpose"
    elif node.target is aten.linear.default:
        kind = "linear"
    else:
        return None
    weight = _constant(graph, arguments["weight"])
    assert weight is not None, f"{node.name} has a computed weight"
    bias = _constant(graph, arguments["bias"])
    geometry = _geometry(arguments) if kind == "conv" else {}
    return Layer(str(arguments["weight"].target), kind, weight, bias, geometry)


def _geometry(arguments: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """A convolution's as ML Programs state it; padding `same` is left to the replay."""
    found = {
        "strides": _pair(arguments["stride"]),
        "dilations": _pair(arguments["dilation"]),
        "groups": (int(arguments["groups"]),),
    }
    if not isinstance(arguments["padding"], str):
        high, wide = _pair(arguments["padding"])
        found["pad"] = (high, high, wide, wide)
    return found


def _pair(numbers: Sequence[int]) -> tuple[int, ...]:
    """Two numbers; one stands for both axes."""
    return tuple(numbers) * (2 // len(numbers))


def _arguments(node: Node) -> dict[str, Any]:
    """Arguments of an operator's call by name, defaults filled in."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        return {}
    given = dict(zip((a.name for a in schema.arguments), node.args, strict=False))
    defaults = {a.name: a.default_value for a in schema.arguments if a.name not in given}
    return {**defaults, **given, **node.kwargs}


def _constant(graph: torch.fx.GraphModule, node: Any) -> Values | None:
    if node is None or node.op != "get_attr":
        return None
    held: Any = operator.attrgetter(str(node.target))(graph)
    result: npt.NDArray[np.float64] = held.detach().double().numpy()
    return result


def _batch_norm(node: Node) -> Node | None:
    """The batch normalisation that is the only reader of a convolution, if there is one."""
    users = list(node.users)
    if len(users) == 1 and "batch_norm" in str(users[0].target):
        return users[0]
    return None


def _folded(layer: Layer, graph: torch.fx.GraphModule, norm: Node) -> Layer:
    given = _arguments(norm)
    named = ("weight", "bias", "running_mean", "running_var")
    gamma, beta, mean, variance = (_constant(graph, given[name]) for name in named)
    assert mean is not None
    assert variance is not None
    scale = (1.0 if gamma is None else gamma) / np.sqrt(variance + given["eps"])
    shape = (1, -1, 1, 1) if layer.kind == "conv_transpose" else (-1, 1, 1, 1)
    before = 0.0 if layer.bias is None else layer.bias
    shift = (0.0 if beta is None else beta) + (before - mean) * scale
    return Layer(layer.name, layer.kind, layer.weight * scale.reshape(shape), shift, layer.geometry)
