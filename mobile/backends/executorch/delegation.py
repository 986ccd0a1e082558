"""How much of an edge graph a delegate took over."""

from __future__ import annotations

import operator
from collections import Counter
from typing import TYPE_CHECKING, Any

from mobile.backend import Delegation

if TYPE_CHECKING:
    import torch


def count_delegated(graph_module: torch.fx.GraphModule, delegate: str = "XNNPACK") -> Delegation:
    """Count operator nodes of a lowered edge graph inside and outside of delegated partitions.

    `getitem` only unpacks tuples and is counted on neither side.
    """
    inside: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    partitions = 0
    for node in graph_module.graph.nodes:
        if node.op == "get_attr" and node.name.startswith("lowered_module_"):
            partitions += 1
            lowered = getattr(graph_module, node.name)
            inside.update(_operators(lowered.original_module))
    outside.update(_operators(graph_module))
    return Delegation(
        delegate=delegate,
        unit="edge operators",
        delegated=inside.total(),
        total=inside.total() + outside.total(),
        partitions=partitions,
        undelegated=dict(sorted(outside.items())),
    )


def _operators(graph_module: Any) -> list[str]:
    names = []
    for node in graph_module.graph.nodes:
        if node.op != "call_function" or node.target is operator.getitem:
            continue
        name = str(getattr(node.target, "__name__", node.target))
        if "executorch_call_delegate" not in name:
            names.append(name)
    return names
