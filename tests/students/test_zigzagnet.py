"""ZigZagNet: Eq. 1 to 6 against slow references, exact sizes, what every switch means."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import students
from students import zigzag_context
from students.resnet import CHANNELS
from students.zigzag import Design, ZigZag, _product
from students.zigzag_context import RegionContext
from students.zigzagnet import AUTHOR

# Table 1 from the top, as switches.
ROWS: dict[str, dict[str, Any]] = {
    "encoder-decoder": {"zigzag": "down", "stages": 1, "dense": False},
    "no feature fusion": {"zigzag": "up", "stages": 1},
    "no context exchange": {"stages": 1},
    "no dense pathways": {"dense": False},
    "full": {},
}
TINY = (5, 6, 7, 8)
"""Channels of a tiny backbone's levels."""


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def kernels(model: nn.Module) -> int:
    """Weights of RCE's pairs of KxK kernels alone."""
    pairs = ("join.weight", "part.weight")
    return sum(p.numel() for n, p in model.named_parameters() if n.endswith(pairs))


def neck(channels: tuple[int, ...] = CHANNELS[101][1:], **switches: Any) -> ZigZag:
    with torch.device("meta"):
        return ZigZag(channels, Design(**switches))


def taps(height: int = 32, width: int = 40) -> list[Tensor]:
    sizes = [(height // 2**i, width // 2**i) for i in range(len(TINY))]
    return [torch.randn(2, c, *size) for c, size in zip(TINY, sizes)]


def dense(weight: Tensor) -> Tensor:
    """A depthwise weight (C, 1, k, k) as the dense (C, C, k, k) it stands for."""
    eye = torch.eye(len(weight), dtype=weight.dtype)[:, :, None, None]
    return weight * eye if weight.shape[1] == 1 else weight


def slow_rce(module: RegionContext, x: Tensor, pooling: str) -> Tensor:
    """Eq. 5 and 6 pixel by pixel; the map is convolved before it is summed up, as in the paper."""
    _, channels, height, width = x.shape
    out = x.clone()
    for branch in module.branches:
        k = branch.side
        region: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for h, w in itertools.product(range(height), range(width)):
            region.setdefault((w * k // width, h * k // height), []).append((h, w))
        mixed = torch.einsum("oi,bihw->bohw", branch.mix.weight[:, :, 0, 0], x)
        vector = branch.join.bias.expand(len(x), -1)
        for (i, j), pixels in region.items():
            pooled = sum(mixed[:, :, h, w] for h, w in pixels)
            pooled = pooled / len(pixels) if pooling == "mean" else pooled
            vector = vector + pooled @ dense(branch.join.weight)[:, :, i, j].T
        part = dense(branch.part.weight.view(channels, k, k, -1).permute(0, 3, 1, 2))
        for (i, j), pixels in region.items():
            for h, w in pixels:
                out[:, :, h, w] += vector.clamp(min=0) @ part[:, :, i, j].T
    return out


@pytest.mark.parametrize("size", [(8, 12), (15, 21), (11, 7), (2, 3)])
@pytest.mark.parametrize("pooling", ["mean", "sum"])
@pytest.mark.parametrize("kind", ["dense", "depthwise"])
def test_rce_is_equations_5_and_6(size: tuple[int, int], pooling: str, kind: str) -> None:
    torch.manual_seed(0)
    module = zigzag_context.build("rce", 4, kind, pooling).double()
    assert isinstance(module, RegionContext)
    x = torch.randn(2, 4, *size, dtype=torch.float64)
    torch.testing.assert_close(module(x), slow_rce(module, x, pooling))


@pytest.mark.parametrize(("length", "number"), [(15, 7), (16, 3), (30, 7), (119, 5)])
def test_every_position_is_in_one_cell_and_cells_are_alike(length: int, number: int) -> None:
    matrix = torch.tensor(zigzag_context.cells(length, number))
    assert (matrix.sum(0) == 1).all()
    assert matrix.sum(1).max() - matrix.sum(1).min() <= 1


@pytest.mark.parametrize(("width", "count"), [(256, 10_878_976), (128, 2_719_744), (64, 679_936)])
def test_an_rce_has_the_weights_of_its_kernels(width: int, count: int) -> None:
    with torch.device("meta"):
        whole = zigzag_context.build("rce", width)
        light = zigzag_context.build("rce", width, "depthwise")
    biases, mixing = 3 * width, 3 * width**2
    assert kernels(whole) == count
    assert parameters(whole) == count + biases + mixing
    assert kernels(light) == count // width
    assert parameters(light) == count // width + biases + mixing


@pytest.mark.parametrize(
    ("share", "contexts", "count"),
    [("none", 18, 220_038_656), ("stages", 6, 87_122_432), ("all", 1, 31_740_672)],
)
def test_sharing_is_of_contexts_alone(share: str, contexts: int, count: int) -> None:
    made = neck(share=share)
    assert len(made.contexts) == contexts
    assert kernels(made) == contexts * 10_878_976  # 196M if nothing is shared
    assert parameters(made) == count


@pytest.mark.parametrize(("post", "count"), [(False, 29_214_464), (True, 31_574_784)])
def test_the_authors_neck_has_the_size_of_their_code(post: bool, count: int) -> None:
    assert parameters(neck(**{**AUTHOR, "post": post})) == count


def test_the_rows_of_table_1_are_all_different() -> None:
    torch.manual_seed(0)
    given, seen = taps(16, 24), list[Tensor]()
    for row in ROWS.values():
        torch.manual_seed(1)
        maps = ZigZag(TINY, Design(width=8, kernels="depthwise", **row)).eval()(given)
        assert [m.shape for m in maps] == [(2, 8, *tap.shape[-2:]) for tap in given]
        assert not any(torch.allclose(maps[1], other) for other in seen)
        seen.append(maps[1])


@pytest.mark.parametrize("name", zigzag_context.names())
def test_every_context_of_table_2_keeps_shapes(name: str) -> None:
    x = torch.randn(2, 8, 9, 14)
    assert zigzag_context.build(name, 8).eval()(x).shape == x.shape


def conv(x: Tensor, module: nn.Module) -> Tensor:
    return F.conv2d(x, module.weight, module.bias, padding=1)


def fused(module: nn.Module, a: Tensor, b: Tensor) -> Tensor:
    return conv(a + b, module.convs[0][0]).clamp(min=0)


def near(x: Tensor, like: Tensor) -> Tensor:
    """Nearest by indexing, from its definition."""
    rows, columns = (torch.arange(n) * m // n for n, m in zip(like.shape[-2:], x.shape[-2:]))
    return x[:, :, rows][..., columns]


@pytest.mark.parametrize("combine", ["prod", "sum"])
@pytest.mark.parametrize("dense_ways", [True, False])
def test_the_neck_is_equations_1_to_4(combine: str, dense_ways: bool) -> None:
    """Two stages with contexts of their own, without norms; sizes that do not divide."""
    torch.manual_seed(0)
    made = ZigZag(
        TINY,
        Design(width=4, stages=2, context="conv", norm="none", combine=combine, dense=dense_ways),
    ).double()
    given = [tap.double() for tap in taps(30, 41)]
    levels = range(4)
    down: dict[int, Tensor] = {}
    up: dict[int, Tensor] = {}

    def received(maps: dict[int, Tensor], way: str, stage: int, i: int, sources: Any) -> Tensor:
        sources = [j for j in sources if dense_ways or abs(i - j) == 1]
        total = torch.zeros(()) if combine == "sum" else torch.ones(())
        for j in sources:
            position = 3 - j if way == "down" else j
            context = conv(maps[j], made.contexts[f"{way}{stage}_{position}"])
            found = near(context, given[i])
            total = total + found if combine == "sum" else total * found
        return total if sources else torch.zeros(())

    for stage in range(2):
        before, down = down, {}
        for i in reversed(levels):
            start = made.downs[stage].starts[3 - i]
            p = fused(start, before[i], up[i]) if stage else conv(given[i], start)
            down[i] = p + received(down, "down", stage, i, range(i + 1, 4))
        before_up, up = up, {}
        for j in levels:
            p = fused(made.ups[1].starts[j], down[j], before_up[j]) if stage else down[j]
            up[j] = p + received(up, "up", stage, j, range(j))
    for i, found in enumerate(made(given)):
        torch.testing.assert_close(found, fused(made.fuses[i], down[i], up[i]))


def test_the_authors_first_way_down_multiplies_into_the_level() -> None:
    torch.manual_seed(0)
    switches = {**AUTHOR, "stages": 1, "narrow": False, "zigzag": "down", "post": False}
    made = ZigZag(TINY, Design(width=4, **switches)).double()
    given = [tap.double() for tap in taps()]
    starts, paths = made.downs[0].starts, made.contexts
    f5 = conv(given[3], starts[0])
    f4 = conv(given[2], starts[1]) + near(f5, given[2])
    lateral = conv(given[1], starts[2])
    f3 = near(f4, lateral) + lateral * near(conv(f5, paths["down0_0_2"]), lateral)
    lateral = conv(given[0], starts[3])
    far, nearer = conv(f5, paths["down0_0_3"]), conv(f4, paths["down0_1_3"])
    f2 = near(f3, lateral) + lateral * near(far, lateral) * near(nearer, lateral)
    for found, expected in zip(made(given), (f2, f3, f4, f5)):
        torch.testing.assert_close(found, expected)


def test_the_finest_map_needs_no_more_than_the_finest_outputs() -> None:
    torch.manual_seed(0)
    whole = ZigZag(TINY, Design(width=4)).eval()
    least = ZigZag(TINY, Design(width=4, outputs="finest")).eval()
    least.load_state_dict({k: whole.state_dict()[k] for k in least.state_dict()})
    given = taps()
    assert torch.equal(whole(given)[0], least(given)[0])
    assert len(least.contexts) == 15
    least(given)[0].square().sum().backward()
    assert all(p.grad is not None for p in least.parameters())


def test_products_are_taken_in_float32_under_autocast() -> None:
    torch.manual_seed(0)
    low = [torch.randn(1000).bfloat16() for _ in range(3)]
    exact = low[0].double() * low[1].double() * low[2].double()
    assert torch.equal(_product(low), exact.bfloat16())
    assert not torch.equal(low[0] * low[1] * low[2], exact.bfloat16())


def test_products_stay_finite_where_statistics_do_not_fit() -> None:
    torch.manual_seed(0)
    made = ZigZag(TINY, Design(width=4, kernels="depthwise", norm="batch")).eval()
    assert all(m.isfinite().all() for m in made([1e4 * tap for tap in taps()]))


@pytest.mark.parametrize(
    ("name", "preset", "count"),
    [
        ("zigzagnet_r101", "paper", 225_771_605),
        ("zigzagnet_r101", "author", 67_882_581),
        ("zigzagnet_r50", "paper", 206_779_477),
        ("zigzagnet_r18", "paper", 12_389_525),
    ],
)
def test_parameters_of_the_students(name: str, preset: str, count: int) -> None:
    with torch.device("meta"):
        student = students.build(name, preset=preset)
    assert parameters(student) == count
    published = {"zigzagnet_r101": 42_500_160, "zigzagnet_r50": 23_508_032}
    assert parameters(student.backbone) == published.get(name, 11_176_512)


def test_the_smallest_student_at_an_odd_shape_and_exported() -> None:
    torch.manual_seed(0)
    student = students.build("zigzagnet_r18", classes=7).eval()
    images = torch.rand(1, 3, 64, 96) * 255
    shapes = [(f.shape[1], 64 // f.shape[2], 96 // f.shape[3]) for f in student.features(images)]
    assert shapes == [(c, s, s) for c, s in zip(student.feature_channels, student.strides)]
    with torch.no_grad():
        logits = student(images)
        exported = torch.export.export(student, (images,)).module()
        torch.testing.assert_close(exported(images), logits, rtol=1e-4, atol=1e-4)
    assert logits.shape == (1, 7, 64, 96)
    with pytest.raises(ValueError, match="zigzagnet_r18 takes sides that are multiples of 32"):
        student(torch.zeros(1, 3, 64, 90))


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        ({"context": "rcf"}, "no context is called 'rcf'; known: aspp, conv, fc, gcn, none"),
        ({"combine": "max"}, "combine is one of prod, sum, author; got 'max'"),
        ({"pooling": "max"}, "pooling is one of mean, sum; got 'max'"),
        ({"preset": "zag"}, "preset is one of paper, author; got 'zag'"),
        ({"zigzag": "down"}, "stages is at least 1, and 1 with zigzag=down; got 3"),
        ({"preset": "author", "share": "all"}, "narrow needs fuse=mul and share=none"),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(
    switches: dict[str, Any], message: str
) -> None:
    with torch.device("meta"), pytest.raises(ValueError, match=message):
        students.build("zigzagnet_r18", **switches)
