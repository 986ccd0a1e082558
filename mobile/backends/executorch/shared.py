"""Layers that a model uses more than once get weights of their own for every use, before int8.

XNNPACK's quantiser marks a shared weight for the first convolution that reads it and leaves the
others half marked, and folding a batch norm into shared weights folds it in again for every use.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.fx import GraphModule, Node

_CONVOLUTION = torch.ops.aten.conv2d.default


def unshare(graph: GraphModule) -> int:
    """Copy the weights and biases of convolutions that share them, in place; how many copies."""
    copies = 0
    seen: set[Node] = set()
    for node in list(graph.graph.nodes):
        if node.target is not _CONVOLUTION:
            continue
        for index in range(1, min(3, len(node.args))):
            source = node.args[index]
            if not isinstance(source, Node) or source.op != "get_attr":
                continue
            if source not in seen:
                seen.add(source)
                continue
            name = f"unshared_{copies}"
            value = _value(graph, str(source.target)).detach().clone()
            graph.register_parameter(name, nn.Parameter(value, requires_grad=False))
            with graph.graph.inserting_before(node):
                own = graph.graph.get_attr(name)
            own.meta = dict(source.meta)
            node.update_arg(index, own)
            copies += 1
    if copies:
        graph.recompile()
    return copies


def _value(graph: GraphModule, target: str) -> torch.Tensor:
    *path, name = target.split(".")
    found: torch.Tensor = getattr(graph.get_submodule(".".join(path)), name)
    return found
