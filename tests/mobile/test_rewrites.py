"""Rewrites keep every bit of the result and only touch what they are for."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mobile.rewrites import split_shuffled_cats

WIDEST = 5


class Taps(nn.Module):
    """A concatenation of slices of the input, `channels` each, then PixelShuffle."""

    def __init__(self, channels: tuple[int, ...], twice: bool = False) -> None:
        super().__init__()
        self.channels = channels
        self.twice = twice

    def forward(self, x: Tensor) -> Tensor:
        joined = torch.cat([x[:, :c] * (i + 1) for i, c in enumerate(self.channels)], 1)
        shuffled = F.pixel_shuffle(joined, 2)
        return shuffled * joined.sum() if self.twice else shuffled


def rewrite(module: nn.Module, images: Tensor) -> tuple[int, list[int], Tensor]:
    graph = torch.export.export(module, (images,)).module()
    count = split_shuffled_cats(graph, WIDEST)
    cat = torch.ops.aten.cat.default
    widths = [len(node.args[0]) for node in graph.graph.nodes if node.target is cat]
    return count, widths, graph(images)


@pytest.mark.parametrize("parts", [6, 7, 11, 25])
def test_a_wide_concatenation_is_split_exactly(parts: int) -> None:
    images = torch.rand(1, 12, 4, 6)
    module = Taps(tuple(4 * (1 + i % 3) for i in range(parts)))
    count, widths, output = rewrite(module, images)
    assert count == 1
    assert max(widths) <= WIDEST
    assert torch.equal(output, module(images))


@pytest.mark.parametrize(
    "module",
    [
        Taps((4, 4, 4, 4, 4)),
        Taps((2, 2, 4, 4, 4, 4)),
        Taps((4,) * 6, twice=True),
        Taps((4,) * 26),
    ],
    ids=["narrow", "groups cut", "used twice", "too wide for two levels"],
)
def test_anything_else_is_left_alone(module: Taps) -> None:
    images = torch.rand(1, 12, 4, 6)
    count, widths, output = rewrite(module, images)
    assert count == 0
    assert widths == [len(module.channels)]
    assert torch.equal(output, module(images))


def test_a_limit_below_two_is_refused() -> None:
    graph = torch.export.export(Taps((4,)), (torch.rand(1, 4, 2, 2),)).module()
    with pytest.raises(ValueError, match="at least 2"):
        split_shuffled_cats(graph, 1)
