"""Max pools of what is nowhere negative, padded by zeros before them instead of by -inf within.

LiteRT's max pools do not pad: the converter puts a PADV2 before them, which XNNPACK leaves to the
interpreter. It takes a PAD, and next to a ReLU's outputs a zero never is the largest by mistake.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.fx import GraphModule, Node


def pad_pools_with_zeros(graph: GraphModule) -> int:
    """Do so in place, to the last bit of the result; how many pools there were."""
    import torch

    aten = torch.ops.aten
    rewritten = 0
    for pool in list(graph.graph.nodes):
        if pool.target is not aten.max_pool2d.default or len(pool.args) < 4:
            continue
        source, side, stride, padding, *others = pool.args
        y, x = _both(padding)
        rounds_up = len(others) > 1 and others[1]  # then padding decides how many outputs there are
        if not (y or x) or rounds_up or not _never_negative(source):
            continue
        with graph.graph.inserting_before(pool):
            padded = graph.graph.call_function(
                aten.constant_pad_nd.default, (source, [x, x, y, y], 0.0)
            )
        pool.args = (padded, side, stride or side, [0, 0], *others)
        rewritten += 1
    if rewritten:
        graph.recompile()
    return rewritten


def _never_negative(node: Node) -> bool:
    name = str(node.target).removeprefix("aten.").partition(".")[0].rstrip("_")
    if name == "hardtanh":  # what ReLU6 is exported as
        return len(node.args) > 1 and float(str(node.args[1])) >= 0
    return name in {"relu", "sigmoid"}


def _both(value: int | Sequence[int]) -> tuple[int, int]:
    if isinstance(value, int):
        return value, value
    return (value[0], value[-1])
