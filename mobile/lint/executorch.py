"""Rules on ExecuTorch: what XNNPACK leaves, and what the int8 graph computes in float."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import torch
from torch.fx import GraphModule, Node

from mobile.lint.finding import Finding, advice
from mobile.lint.graph import operator_of, place

NAME = "executorch"


def int8_operators() -> frozenset[str]:
    """Edge operators, such as `add.Tensor`, that the installed XNNPACK delegate runs in int8."""
    from executorch.backends.xnnpack.partition.config import ALL_PARTITIONER_CONFIGS
    from executorch.backends.xnnpack.partition.config.xnnpack_config import ConfigPrecisionType

    configs = [config() for config in ALL_PARTITIONER_CONFIGS]
    static = ConfigPrecisionType.STATIC_QUANT
    return frozenset(c.target_name for c in configs if static in c.supported_precision_types())


def islands(quantised: GraphModule, known: frozenset[str]) -> Iterator[Finding]:
    """Operators between a dequantise and a quantise that only run in float, counted."""
    counts: Counter[str] = Counter()
    moved: Counter[str] = Counter()
    first: dict[str, Node] = {}
    for node in quantised.graph.nodes:
        if node.op != "call_function" or not _fenced(node) or _edge_name(node) in known:
            continue
        name = operator_of(node)
        first.setdefault(name, node)
        counts[name] += 1
        moved[name] += _elements(node)
    for name, count in counts.items():
        yield Finding(
            NAME,
            "slows",
            place(first[name]) + (f" and {count - 1} more" if count > 1 else ""),
            f"float islands in the int8 graph: {moved[name]:,} numbers go through float32 and back",
            advice(name),
        )


def undelegated(counts: dict[str, int]) -> Iterator[Finding]:
    """What XNNPACK left to portable kernels."""
    for name, count in counts.items():
        yield Finding(
            NAME,
            "breaks",
            name,
            f"{count} not delegated to XNNPACK: portable kernels, several times slower",
            advice(name),
        )


def _fenced(node: Node) -> bool:
    """Whether it stands between dequantised inputs and a quantise."""
    tensors = [used for used in node.all_input_nodes if used.op != "get_attr"]
    return (
        bool(tensors)
        and all("dequantize_per_tensor" in operator_of(used) for used in tensors)
        and all("quantize_per_tensor" in operator_of(user) for user in node.users)
        and "quantize" not in operator_of(node)
    )


def _edge_name(node: Node) -> str:
    name = operator_of(node).removeprefix("aten.")
    return {
        "conv2d.default": "convolution.default",
        "permute.default": "permute_copy.default",
        "view.default": "view_copy.default",
        "reshape.default": "view_copy.default",
        "hardtanh_.default": "hardtanh.default",
        "relu_.default": "relu.default",
        "add_.Tensor": "add.Tensor",
    }.get(name, name)


def _elements(node: Node) -> int:
    value = node.meta.get("val")
    return value.numel() if isinstance(value, torch.Tensor) else 0
