"""Region contexts with their three branches as one, for export: a third of the operators.

What lowers a graph passes over all of it dozens of times; in int8, where every operator has
conversions around it, ZigZagNet's fifteen contexts are most of the graph.
"""

from __future__ import annotations

import copy
from itertools import accumulate
from typing import TYPE_CHECKING, cast

import torch.nn.functional as F
from torch import Tensor, nn

from students.zigzag_context import SIDES, RegionContext, cells, shares, turned

if TYPE_CHECKING:
    from students.zigzag_context import Exchange

TOTAL = sum(SIDES)
STARTS = tuple(accumulate((0, *SIDES[:-1])))


class StackedContext(nn.Module):
    """A depthwise `RegionContext`: cells of all sizes in one square map, a block on its diagonal.

    Kernels are 0 off the blocks, where cells of one size meet rows of another.
    """

    def __init__(self, context: RegionContext) -> None:
        super().__init__()
        self.pooling = context.pooling
        branches = [cast("Exchange", branch) for branch in context.branches]
        width, count, like = branches[0].join.in_channels, len(SIDES), branches[0].join.weight
        mix = like.new_zeros(width, count, width)
        join, bias = like.new_zeros(width, count, TOTAL, TOTAL), like.new_zeros(width, count)
        part = like.new_zeros(width, TOTAL, TOTAL, count)
        for n, (branch, side, start) in enumerate(zip(branches, SIDES, STARTS, strict=True)):
            block = slice(start, start + side)
            mix[:, n] = branch.mix.weight[:, :, 0, 0]
            join[:, n, block, block] = branch.join.weight[:, 0]
            bias[:, n] = cast("Tensor", branch.join.bias)
            part[:, block, block, n] = branch.part.weight.view(width, side, side)
        every = width * count
        self.mix = _frozen(mix.view(every, width, 1, 1))
        self.join = _frozen(join.view(every, 1, TOTAL, TOTAL), bias.view(every), groups=every)
        self.part = _frozen(part.view(-1, count, 1, 1), groups=width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        batch, width, height, length = x.shape
        columns = [row for k in SIDES for row in cells(length, k)]
        rows = [row for k in SIDES for row in cells(height, k)]
        strips = F.linear(x, x.new_tensor(shares(columns, self.pooling))).transpose(2, 3)
        regions = F.linear(strips, x.new_tensor(shares(rows, self.pooling)))
        found = self.part(F.relu(self.join(self.mix(regions)))).view(batch, width, TOTAL, TOTAL)
        found = F.linear(found, x.new_tensor(turned(rows))).transpose(2, 3)
        return x + F.linear(found, x.new_tensor(turned(columns)))


def stackable(module: nn.Module) -> bool:
    """Whether it is such a context; dense kernels would carry a dense block of zeros for each."""
    if not isinstance(module, RegionContext):
        return False
    return cast("Exchange", module.branches[0]).join.groups > 1


def with_stacked_contexts(module: nn.Module) -> nn.Module:
    """A copy of `module` whose depthwise region contexts are stacked."""
    module = copy.deepcopy(module)
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if stackable(child):
                setattr(parent, name, StackedContext(child))  # type: ignore[arg-type]
    return module


def _frozen(weight: Tensor, bias: Tensor | None = None, groups: int = 1) -> nn.Conv2d:
    outputs, inputs, side, _ = weight.shape
    conv = nn.Conv2d(inputs * groups, outputs, side, groups=groups, bias=bias is not None)
    conv.weight = nn.Parameter(weight.detach(), requires_grad=False)
    if bias is not None:
        conv.bias = nn.Parameter(bias.detach(), requires_grad=False)
    return conv
