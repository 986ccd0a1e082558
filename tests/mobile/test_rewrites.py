"""Rewrites keep every bit of the result and only touch what they are for."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mobile import recipes
from mobile.export import export
from mobile.rewrites import bare_constants, pad_pools_with_zeros, split_shuffled_cats
from students import zigzag_context
from students.registry import ModelSpec

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


class Product(nn.Module):
    """A product with a constant that is made while the model runs."""

    def forward(self, x: Tensor) -> Tensor:
        made = x.new_tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
        return F.linear(x, made) + made.sum()


def test_constants_made_in_passing_are_handed_over_as_they_are() -> None:
    x = torch.rand(1, 3, 4, 2)
    program = torch.export.export(Product(), (x,))
    assert bare_constants(program) == 1
    linear = next(n for n in program.graph.nodes if n.target is torch.ops.aten.linear.default)
    assert linear.args[1].op == "placeholder"
    called = {str(n.target).split(".")[1] for n in program.graph.nodes if n.op == "call_function"}
    assert called == {"linear", "sum", "add"}
    assert torch.equal(program.module()(x), Product()(x))


def test_a_program_without_such_constants_is_left_as_it_is() -> None:
    program = torch.export.export(Taps((4,)), (torch.rand(1, 4, 2, 2),))
    before = str(program.graph)
    assert bare_constants(program) == 0
    assert str(program.graph) == before


class Regions(nn.Module):
    """One region context at two sizes: ZigZagNet's, whose constants are cells."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.context = zigzag_context.build("rce", 4, "depthwise")
        self.clip = nn.Sequential(nn.BatchNorm2d(4), zigzag_context.Clip())

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.context(F.max_pool2d(self.clip(self.context(self.first(images))), 2))
        return found


def test_region_contexts_leave_an_executorch_graph_whole(tmp_path) -> None:
    """Passes over a graph are run for every cut: 76 cuts of a ZigZagNet took minutes."""
    spec = ModelSpec("regions", "saliency", 24, 32, 4, (0, 0, 0), (1, 1, 1), "", source="")
    report = export(Regions().eval(), spec, recipes.get("executorch_fp32"), None, tmp_path)
    assert report.delegation is not None
    assert (report.delegation.partitions, report.delegation.undelegated) == (1, {})


class Pooled(nn.Module):
    """A padded max pool behind `activation`."""

    def __init__(self, activation: nn.Module, *pool: object) -> None:
        super().__init__()
        self.activation, self.pool = activation, pool

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(self.activation(x), *self.pool)  # type: ignore[arg-type]


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.ReLU(inplace=True), nn.ReLU6(), nn.Sigmoid()])
@pytest.mark.parametrize("pool", [(3, 2, 1), (3, 1, 1), ((3, 5), (2, 1), (1, 2)), (3, None, 1)])
def test_a_pool_of_nothing_negative_is_padded_by_zeros(
    activation: nn.Module, pool: tuple[object, ...]
) -> None:
    x = torch.randn(1, 2, 9, 11)
    graph = torch.export.export(Pooled(activation, *pool), (x.clone(),)).module()
    assert pad_pools_with_zeros(graph) == 1
    (node,) = (n for n in graph.graph.nodes if n.target is torch.ops.aten.max_pool2d.default)
    assert not any(node.args[3])
    assert torch.equal(graph(x.clone()), Pooled(activation, *pool)(x.clone()))


@pytest.mark.parametrize(
    "module",
    [Pooled(nn.Identity(), 3, 2, 1), Pooled(nn.Hardtanh(), 3, 2, 1), Pooled(nn.ReLU(), 3, 2)],
    ids=["of anything", "of negative numbers", "not padded"],
)
def test_any_other_pool_is_left_alone(module: Pooled) -> None:
    graph = torch.export.export(module, (torch.randn(1, 2, 9, 11),)).module()
    code = str(graph.graph)
    assert pad_pools_with_zeros(graph) == 0
    assert str(graph.graph) == code
