"""Exact rewrites of an exported graph, for what one backend runs badly.

Each changes a graph of ATen operators in place and keeps its results to the last bit; which of
them a backend applies is that backend's choice, by measurement.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.fx import GraphModule, Node


def split_shuffled_cats(graph: GraphModule, widest: int) -> int:
    """PixelShuffle(cat(many)) -> cat of PixelShuffle(cat(few)); how many were rewritten.

    Delegates limit a concatenation's inputs (XNNPACK on LiteRT: five) and leave a wider one to
    their host, which cuts the graph in two. Nesting concatenations does not help, converters
    flatten them again. PixelShuffle(r) keeps groups of r*r channels together, so it distributes
    over a concatenation of channels whose parts are multiples of r*r; no value moves twice.
    """
    import torch

    if widest < 2:
        raise ValueError(f"a concatenation joins at least 2 tensors, got a limit of {widest}")
    aten = torch.ops.aten
    rewritten = 0
    for shuffle in list(graph.graph.nodes):
        if shuffle.target is not aten.pixel_shuffle.default:
            continue
        cat, factor = shuffle.args
        if cat.target is not aten.cat.default or cat.args[1:] != (1,) or len(cat.users) > 1:
            continue
        parts: Sequence[Node] = cat.args[0]
        whole_groups = all(part.meta["val"].shape[1] % factor**2 == 0 for part in parts)
        if len(parts) <= widest or len(parts) > widest**2 or not whole_groups:
            continue
        with graph.graph.inserting_before(shuffle):
            shuffled = []
            for few in _even(parts, widest):
                joined = graph.graph.call_function(aten.cat.default, (few, 1))
                shuffled.append(
                    graph.graph.call_function(aten.pixel_shuffle.default, (joined, factor))
                )
            wide = graph.graph.call_function(aten.cat.default, (shuffled, 1))
        shuffle.replace_all_uses_with(wide)
        graph.graph.erase_node(shuffle)
        graph.graph.erase_node(cat)
        rewritten += 1
    graph.recompile()
    return rewritten


def _even(parts: Sequence[Node], widest: int) -> list[list[Node]]:
    """`parts` in the fewest runs of at most `widest`, of about equal length, in order."""
    runs = -(-len(parts) // widest)
    bounds = [round(i * len(parts) / runs) for i in range(runs + 1)]
    return [list(parts[a:b]) for a, b in itertools.pairwise(bounds)]
