"""Rules on the exported graph itself, whatever runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.fx import GraphModule, Node

from mobile.lint.finding import Finding, advice

MOST_AXES = 4
_DATA_DEPENDENT = ("_local_scalar_dense", "nonzero", "masked_select", "item", "unique")
Rule = Callable[[Node], Finding | None]
_RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    """Register a rule: a call in the graph -> what is wrong with it, or None."""
    _RULES.append(function)
    return function


def findings(graph: GraphModule) -> Iterator[Finding]:
    """Every rule on every call; the first of several like ones of one module."""
    seen = set()
    for node in graph.graph.nodes:
        for found in (each(node) for each in _RULES if node.op == "call_function"):
            if found is not None and found not in seen:
                seen.add(found)
                yield found


@rule
def many_axes(node: Node) -> Finding | None:
    """GPU delegates and Core ML's neural engine take four axes."""
    value = node.meta.get("val")
    if not isinstance(value, torch.Tensor) or value.dim() <= MOST_AXES:
        return None
    return Finding(
        "any",
        "slows",
        place(node),
        f"a tensor of {value.dim()} axes {tuple(value.shape)}: GPU delegates refuse it",
        "fold axes of size 1 and batch into others, or write the step as a convolution",
    )


@rule
def dynamic(node: Node) -> Finding | None:
    """Sizes that depend on values, or are symbols."""
    name = operator_of(node)
    sizes: Any = getattr(node.meta.get("val"), "shape", ())
    symbolic = any(not isinstance(side, int) for side in sizes)
    if not symbolic and not any(word in name for word in _DATA_DEPENDENT):
        return None
    return Finding(
        "any",
        "breaks",
        place(node),
        "its size is only known while it runs: delegates plan memory beforehand",
        "take sizes from images.shape, which export fixes; use masks instead of selections",
    )


@rule
def own_size(node: Node) -> Finding | None:
    """Average pooling to a size, which is a loop of slices unless the size is 1 or divides."""
    if "adaptive_avg_pool2d" not in operator_of(node):
        return None
    output = node.args[1]
    if list(output) == [1, 1]:  # type: ignore[arg-type]
        return None
    return Finding(
        "any", "slows", place(node), f"adaptive pooling to {output}", advice(operator_of(node))
    )


def operator_of(node: Node) -> str:
    """`aten.cat.default` and the like."""
    return str(node.target)


def place(node: Node) -> str:
    """The operator, and the path of the module that calls it."""
    stack = node.meta.get("nn_module_stack") or {}
    paths = [path for path, _ in stack.values() if path]
    return f"{operator_of(node)} in {paths[-1]}" if paths else operator_of(node)
