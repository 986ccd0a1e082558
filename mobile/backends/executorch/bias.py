"""Bias correction: quantised convolutions get back the mean that rounding took from them.

Rounding weights shifts each output channel by what the rounding errors of its weights make of the
mean input (Nagel et al., Data-Free Quantization, 2019, Sec. 4.2; here by calibration images, as in
their appendix). Walking the float and the quantised graph node by node, every convolution's bias
takes the difference of the channel means before anything behind it is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Node, map_arg

_CONVOLUTION = torch.ops.aten.conv2d.default
Seen = Callable[[Node, list[Tensor]], bool]
"""Called after each convolution with its outputs; whether they must be computed again."""


@torch.no_grad()
def correct_biases(quantised: GraphModule, observed: GraphModule, images: Sequence[Tensor]) -> int:
    """Correct the biases of `quantised` in place; how many convolutions had one.

    `observed` is the prepared float graph it was converted from, with the same convolutions in the
    same order; `images` are (1, 3, H, W). A handful is enough: means settle quickly.
    """
    wanted: list[Tensor] = []

    def remember(_node: Node, outputs: list[Tensor]) -> bool:
        wanted.append(_channel_means(outputs))
        return False

    _walk(observed, images, remember)
    means = iter(wanted)
    corrected = 0

    def correct(node: Node, outputs: list[Tensor]) -> bool:
        nonlocal corrected
        missing = next(means) - _channel_means(outputs)
        bias = node.args[2] if len(node.args) > 2 else None
        if not isinstance(bias, Node) or bias.op != "get_attr":
            return False
        _attribute(quantised, str(bias.target)).add_(missing)
        corrected += 1
        return True

    _walk(quantised, images, correct)
    return corrected


def _channel_means(outputs: list[Tensor]) -> Tensor:
    return torch.stack([output.mean((0, 2, 3)) for output in outputs]).mean(0)


def _walk(graph: GraphModule, images: Sequence[Tensor], on_convolution: Seen) -> None:
    """Run every node on all images before the next node; values are dropped after their last use.

    An exported graph is fixed to a batch of one, so images go through side by side.
    """
    last_use = {used: node for node in graph.graph.nodes for used in node.all_input_nodes}
    values: dict[Node, list[Any]] = {}
    for node in graph.graph.nodes:
        if node.op == "output":
            return
        values[node] = _values(graph, node, values, images)
        if node.target is _CONVOLUTION and on_convolution(node, values[node]):
            values[node] = _values(graph, node, values, images)
        for used in node.all_input_nodes:
            if last_use[used] is node:
                values.pop(used, None)


def _values(
    graph: GraphModule, node: Node, values: dict[Node, list[Any]], images: Sequence[Tensor]
) -> list[Any]:
    if node.op == "placeholder":
        return list(images)
    if node.op == "get_attr":
        return [_attribute(graph, str(node.target))] * len(images)
    # An operator, or an observer that stands in the graph as a module.
    target: Any = node.target if callable(node.target) else _attribute(graph, node.target)
    found = []
    for index in range(len(images)):
        arguments, options = map_arg((node.args, node.kwargs), _picker(values, index))
        found.append(target(*arguments, **options))
    return found


def _picker(values: dict[Node, list[Any]], index: int) -> Callable[[Node], Any]:
    return lambda node: values[node][index]


def _attribute(graph: GraphModule, name: str) -> Any:
    found: Any = graph
    for part in name.split("."):
        found = getattr(found, part)
    return found
