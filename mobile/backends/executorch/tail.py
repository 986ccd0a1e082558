"""The end of a network that int8 leaves in float, because that is nearly free.

The last convolution gives the logits: eight bits over a range of forty logits are steps of 0.16,
which a sigmoid turns into visible ones. What is computed there in float costs a fraction of a
percent of the network's arithmetic, where the tail is small enough.
"""

from __future__ import annotations

import math

import torch
from torch.fx import GraphModule, Node

LARGEST_SHARE = 0.01
"""Of the network's multiply-accumulates that a float tail may have; above, int8 stays."""
_ATEN = torch.ops.aten
_CONVOLUTION = _ATEN.conv2d.default
_PASSED = (
    _ATEN.pixel_shuffle.default,
    _ATEN.view_copy.default,
    _ATEN.permute_copy.default,
    _ATEN.upsample_bilinear2d.vec,
    _ATEN.add.Tensor,
)
"""Operators that stay float between the last convolution and those before it."""


def float_tail(graph: GraphModule) -> list[Node]:
    """Nodes of the tail, from the output back to the convolutions before the last; may be empty.

    Empty where the last operators are no convolution and rearrangements, or where the convolution
    has more than `LARGEST_SHARE` of the arithmetic.
    """
    (output,) = (node for node in graph.graph.nodes if node.op == "output")
    found: list[Node] = []
    last = _last_convolution(output.all_input_nodes, found)
    if last is None:
        return []
    total = sum(macs(node) for node in graph.graph.nodes if node.target is _CONVOLUTION)
    if macs(last) > LARGEST_SHARE * total:
        return []
    found.append(last)
    _before(last.args[0], found)
    return found


def _last_convolution(ends: list[Node], found: list[Node]) -> Node | None:
    if len(ends) != 1:
        return None
    node = ends[0]
    while node.target in _PASSED and len(node.all_input_nodes) == 1:
        found.append(node)
        (node,) = node.all_input_nodes
    return node if node.target is _CONVOLUTION else None


def _before(node: object, found: list[Node]) -> None:
    """Rearrangements and sums that nobody but the tail reads."""
    if not isinstance(node, Node) or node.target not in _PASSED or len(node.users) > 1:
        return
    found.append(node)
    for each in node.all_input_nodes:
        _before(each, found)


def macs(convolution: Node) -> int:
    """Multiply-accumulates of a convolution node, whose weight is an attribute of its graph."""
    outputs: list[int] = list(convolution.meta["val"].shape)
    weight: list[int] = list(convolution.all_input_nodes[1].meta["val"].shape)
    return math.prod(outputs) * math.prod(weight[1:])
