"""Output scales that XNNPACK takes: it refuses convolutions that would be scaled up too far.

Its int8 convolutions turn accumulators into outputs by input scale x weight scale / output scale,
which has to stay below 256. Where a layer's outputs are all but zero on every calibration image,
as behind a ReLU that never opens, the output scale is the smallest allowed and the file would not
load. Its range is widened then; nothing is lost, since nothing is there.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import GraphModule, Node

LARGEST = 128.0
"""Half of what XNNPACK allows."""
_LEVELS = 255
_CONVOLUTION = torch.ops.aten.conv2d.default


@torch.no_grad()
def widen(prepared: GraphModule) -> int:
    """Widen such ranges of a calibrated graph in place; how many there were."""
    widened = 0
    for node in prepared.graph.nodes:
        if node.target is not _CONVOLUTION:
            continue
        source, weight, output = (
            _observer(prepared, node.args[0]),
            _observer(prepared, node.args[1]),
            _after(prepared, node),
        )
        if source is None or weight is None or output is None:
            continue  # in float
        product = float(_scale(source).max() * _scale(weight).max())
        least = product / LARGEST
        if float(_scale(output).max()) < least:
            output.max_val = output.min_val + least * _LEVELS
            widened += 1
    return widened


def _scale(observer: Any) -> torch.Tensor:
    scale: torch.Tensor = observer.calculate_qparams()[0]
    return scale


def _observer(prepared: GraphModule, node: object) -> Any:
    """The observer that a node calls; None for any other node."""
    if not isinstance(node, Node) or node.op != "call_module":
        return None
    found = prepared.get_submodule(str(node.target))
    return found if hasattr(found, "calculate_qparams") else None


def _after(prepared: GraphModule, node: Node) -> Any:
    """The observer of a convolution's output, behind the activation that is fused into it."""
    while len(node.users) == 1:
        (node,) = node.users
        found = _observer(prepared, node)
        if found is not None:
            return found
        if node.op == "call_module" or len(node.all_input_nodes) != 1:
            return None
    return None
