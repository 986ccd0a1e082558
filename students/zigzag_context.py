"""What a feature map tells maps of other levels: region context encoding (ZigZagNet, Sec. 4).

A context takes one map and gives one of its shape. Besides the paper's own there are those it is
compared with (Table 2); where it does not say how they stand in for it, they add to their input
what they gather, as Eq. 6 does.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from students.interactors import Pyramid
from students.layers import conv_bn

Kernels = Literal["dense", "depthwise"]
Pooling = Literal["mean", "sum"]
Build = Callable[[int, Kernels, Pooling], nn.Module]
"""(width, kernels, pooling) -> context; only `rce` heeds the last two."""
Made = TypeVar("Made", bound=Build)
_BUILDERS: dict[str, Build] = {}
SIDES = (3, 5, 7)
"""Cells a side of RCE's three branches."""
LARGE = 15
"""Side of the large kernel of `gcn`, the best of its paper's."""
RATES = (6, 12, 18)
"""Dilations of `aspp`."""
BOUND = 3.0
"""Largest context after batch norm, in standard deviations."""


def context(name: str) -> Callable[[Made], Made]:
    """Register a builder, often the class itself, under its name in configurations."""

    def add(build: Made) -> Made:
        _BUILDERS[name] = build
        return build

    return add


def names() -> list[str]:
    """Every context, sorted."""
    return sorted(_BUILDERS)


def require(name: str) -> None:
    """`ValueError` with all names unless a context is called `name`."""
    if name not in _BUILDERS:
        raise ValueError(f"no context is called {name!r}; known: {', '.join(names())}")


def build(
    name: str, width: int, kernels: Kernels = "dense", pooling: Pooling = "mean"
) -> nn.Module:
    """The context called `name`; `ValueError` with all names for another."""
    require(name)
    return _BUILDERS[name](width, kernels, pooling)


def cells(length: int, number: int) -> list[list[float]]:
    """0/1 matrix (number, length): which cell a position is in, floor(position * number / length).

    Where a map is shorter than there are cells, some are empty: a row of zeros.
    """
    return [[float(x * number // length == n) for x in range(length)] for n in range(number)]


def gather(x: Tensor, sides: Sequence[int], pooling: Pooling) -> list[Tensor]:
    """Sum or mean of `x` (B, C, H, W) over cells (Eq. 5): (B, C, k, k) for each k of `sides`.

    Cells are counted (x, y), as the paper does. The map is read once for all `sides`: its columns
    are multiplied by one constant matrix, which export folds since sizes are static.
    """
    height, width = x.shape[-2:]
    columns = [row for k in sides for row in _pooled(cells(width, k), pooling)]
    strips = _times(x, columns).transpose(2, 3)
    ends = list(itertools.accumulate(sides))
    # Slices: XNNPACK takes them, a split it leaves.
    parts = [strips[:, :, end - k : end] for k, end in zip(sides, ends, strict=True)]
    return [
        _times(part, _pooled(cells(height, k), pooling))
        for part, k in zip(parts, sides, strict=True)
    ]


def spread(maps: Sequence[Tensor], size: Sequence[int]) -> Tensor:
    """Sum of `maps` (B, C, k, k), each cell's value at all of its positions: (B, C, H, W)."""
    height, width = size
    strips = [_times(q, _turned(cells(height, q.shape[-1]))) for q in maps]
    rows = [row for q in maps for row in cells(width, q.shape[-1])]
    return _times(torch.cat(strips, 2).transpose(2, 3), _turned(rows))


def _times(x: Tensor, matrix: list[list[float]]) -> Tensor:
    """The last axis of `x` (B, C, h, w) through a constant (n, w), a layer without a bias."""
    return F.linear(x, x.new_tensor(matrix))


def _turned(matrix: list[list[float]]) -> list[list[float]]:
    return [list(column) for column in zip(*matrix, strict=True)]


def _pooled(matrix: list[list[float]], pooling: Pooling) -> list[list[float]]:
    if pooling == "sum":
        return matrix
    return [[x / max(sum(row), 1) for x in row] for row in matrix]


class Exchange(nn.Module):
    """One branch of RCE: what every cell hears of all others through one global vector (Fig. 3).

    The paper convolves the map before it is summed up, with a kernel it does not state. A 1x1 one
    without bias is the same before and after, and costs next to nothing after.
    """

    def __init__(self, width: int, side: int, kernels: Kernels) -> None:
        super().__init__()
        groups = width if kernels == "depthwise" else 1
        self.side = side
        self.mix = nn.Conv2d(width, width, 1, bias=False)
        self.join = nn.Conv2d(width, width, side, groups=groups)
        # Deconvolving one pixel to side x side is a 1x1 convolution to side * side times the
        # channels. Its bias would only shift channels, which the norm after it undoes.
        self.part = nn.Conv2d(width, width * side**2, 1, groups=groups, bias=False)

    def forward(self, pooled: Tensor) -> Tensor:
        """(B, C, k, k) -> the paper's Q of the same shape."""
        vector = F.relu(self.join(self.mix(pooled)))
        found: Tensor = self.part(vector)
        return found.view(pooled.shape)


@context("rce")
class RegionContext(nn.Module):
    """RCE (Eq. 5, 6): cells of three sizes exchange what they hold; F + sum of Q.

    Dense kernels have 166 C^2 weights (10.88M at 256 channels, 2.72M at 128, 0.68M at 64),
    depthwise ones 166 C (42,496 at 256); the 1x1 convolutions before them have 3 C^2. `sum`, the
    paper's pooling, grows with the area of the map, which `mean` does not.
    """

    def __init__(self, width: int, kernels: Kernels = "dense", pooling: Pooling = "mean") -> None:
        super().__init__()
        self.pooling: Pooling = pooling
        self.branches = nn.ModuleList(Exchange(width, k, kernels) for k in SIDES)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        pooled = gather(x, SIDES, self.pooling)
        maps = [branch(m) for branch, m in zip(self.branches, pooled, strict=True)]
        return x + spread(maps, x.shape[-2:])


@context("fc")
class Connected(nn.Module):
    """Fully connected over 7x7 cells (Liu et al., PANet): one value a cell, for all channels."""

    def __init__(self, width: int, *_: str) -> None:
        super().__init__()
        side, narrow = SIDES[-1], max(width // 4, 1)
        self.reduce = nn.Sequential(nn.Conv2d(width, narrow, 1), nn.ReLU())
        self.full = nn.Conv2d(narrow, side**2, side)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        (pooled,) = gather(x, SIDES[-1:], "mean")
        found: Tensor = self.full(self.reduce(pooled))
        return x + spread([found.view(-1, 1, *pooled.shape[-2:])], x.shape[-2:])


@context("gcn")
class LargeKernel(nn.Module):
    """Peng et al.'s global convolution: kx1 then 1xk, beside 1xk then kx1."""

    def __init__(self, width: int, *_: str) -> None:
        super().__init__()
        high, wide = (LARGE, 1), (1, LARGE)
        self.paths = nn.ModuleList(
            nn.Sequential(*(nn.Conv2d(width, width, k, padding="same") for k in order))
            for order in ((high, wide), (wide, high))
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        first, second = (path(x) for path in self.paths)
        found: Tensor = x + first + second
        return found


@context("ppm")
class Pooled(nn.Module):
    """PPM of the map itself (Zhao et al., PSPNet)."""

    def __init__(self, width: int, *_: str) -> None:
        super().__init__()
        self.pyramid = Pyramid(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        found: Tensor = self.pyramid(x, x)
        return found


@context("aspp")
class Atrous(nn.Module):
    """ASPP (Chen et al., DeepLabv3): 1x1, three dilated 3x3, the image's mean; joined by a 1x1."""

    def __init__(self, width: int, *_: str) -> None:
        super().__init__()
        self.local = conv_bn(width, width, 1)
        self.dilated = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, width, 3, padding=rate, dilation=rate, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            )
            for rate in RATES
        )
        # Without batch norm, which has nothing to average over for one image.
        self.image = nn.Sequential(nn.Conv2d(width, width, 1), nn.ReLU())
        self.fuse = conv_bn((len(RATES) + 2) * width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        image = self.image(x.mean((2, 3), keepdim=True)).expand_as(x)
        branches = [self.local(x), *(branch(x) for branch in self.dilated), image]
        found: Tensor = self.fuse(torch.cat(branches, 1))
        return found


class Clip(nn.Module):
    """To ±BOUND, as a ReLU6: LiteRT's CPU delegate leaves clamps out."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(x + BOUND) - BOUND


@context("none")
def _none(_width: int, *_: str) -> nn.Module:
    return nn.Identity()


@context("conv")
def _conv(width: int, *_: str) -> nn.Module:
    return nn.Conv2d(width, width, 3, padding=1)
