"""What stands between a backbone's scales and a decoder's: CII's interactors (CII, Sec. 3.2, 3.3).

An interactor takes five maps of equal width, fine to coarse, and gives five of the same shapes.
Shared ones apply the very same layers to every scale: information crosses between scales through
the filters, and nothing is ever resampled. Their batch norms share statistics, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from students.layers import conv_bn

Build = Callable[[int, int], nn.Module]
"""(width, number of scales) -> interactor."""
_BUILDERS: dict[str, Build] = {}
POOLS = (1, 2, 3, 6)
"""Bins a side of PPM's four branches."""


def interactor(name: str) -> Callable[[Build], Build]:
    """Register a builder under its name in configurations."""

    def add(build: Build) -> Build:
        _BUILDERS[name] = build
        return build

    return add


def names() -> list[str]:
    """Every interactor, sorted."""
    return sorted(_BUILDERS)


def build(name: str, width: int, scales: int) -> nn.Module:
    """The interactor called `name`; `ValueError` with all names for another."""
    if name not in _BUILDERS:
        raise ValueError(f"no interactor is called {name!r}; known: {', '.join(names())}")
    return _BUILDERS[name](width, scales)


class Residual(nn.Module):
    """x + f(x) with two 3x3 convolutions f: the paper's (f_2 + 1)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(conv_bn(width, width, 3), conv_bn(width, width, 3))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = x + self.branch(x)
        return found


def highest(x: Tensor) -> Tensor:
    """Largest value of every map, (B, C, h, w) -> (B, C, 1, 1): a pool, as XNNPACK has no `amax`.

    One pixel stays as it is; delegates refuse windows of 1x1.
    """
    size = list(x.shape[-2:])
    # A stride, as coremltools wants one to be told.
    return x if size == [1, 1] else F.max_pool2d(x, size, size)


class Calibration(nn.Module):
    """RGC (Eq. 2, 3): a global gate from `source` on the local features of `x`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.local, self.relative, self.fuse = (Residual(width) for _ in range(3))

    def forward(self, x: Tensor, source: Tensor) -> Tensor:
        """Both (B, C, …) -> as `x`; the gate is one number per channel and image."""
        gate = highest(self.relative(source)).sigmoid()
        found: Tensor = self.fuse(gate * self.local(x))
        return found


class Pyramid(nn.Module):
    """PPM: four pooled branches of `source` beside `x`, joined by a 3x3 convolution.

    The paper does not say how branches are joined; widths and joining are PSPNet's.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(conv_bn(width, width // len(POOLS), 1) for _ in POOLS)
        self.fuse = conv_bn(2 * width, width, 3)

    def forward(self, x: Tensor, source: Tensor) -> Tensor:
        """Both (B, C, …) -> as `x`."""
        size = list(x.shape[-2:])
        pooled = [
            F.interpolate(
                branch(F.adaptive_avg_pool2d(source, bins)), size=size, mode="bilinear",
                align_corners=True,
            )
            for branch, bins in zip(self.branches, POOLS, strict=True)
        ]  # fmt: skip
        found: Tensor = self.fuse(torch.cat([x, *pooled], 1))
        return found


class Same(nn.Module):
    """Nothing but the 1x1 convolutions before it: the U-shape baseline (Table 1, row 1)."""

    def forward(self, levels: list[Tensor]) -> list[Tensor]:
        """As they are."""
        return levels


class Apart(nn.Module):
    """Layers of its own for every scale (Table 1, row 2)."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, levels: list[Tensor]) -> list[Tensor]:
        """Each through its own."""
        return [layer(x) for layer, x in zip(self.layers, levels, strict=True)]


class Shared(nn.Module):
    """The same layers for every scale: CII with plain convolutions (Table 1, rows 3 and 4)."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, levels: list[Tensor]) -> list[Tensor]:
        """Each through the same."""
        return [self.layers(x) for x in levels]


class Relative(nn.Module):
    """A module of (x, source) shared by all scales; the source is x itself."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, levels: list[Tensor]) -> list[Tensor]:
        """Each beside itself."""
        return [self.module(x, x) for x in levels]


class Succeeding(nn.Module):
    """The dagger variant: the source is the next coarser scale, at the top a pooled one."""

    def __init__(self, module: nn.Module, width: int) -> None:
        super().__init__()
        self.module = module
        self.down = nn.Sequential(conv_bn(width, width, 3), nn.MaxPool2d(3, 2, 1))

    def forward(self, levels: list[Tensor]) -> list[Tensor]:
        """Each beside its successor."""
        sources = [*levels[1:], self.down(levels[-1])]
        return [self.module(x, y) for x, y in zip(levels, sources, strict=True)]


def _convs(width: int, number: int) -> nn.Sequential:
    return nn.Sequential(*(conv_bn(width, width, 3) for _ in range(number)))


@interactor("none")
def _none(_width: int, _scales: int) -> nn.Module:
    return Same()


@interactor("apart2")
def _apart2(width: int, scales: int) -> nn.Module:
    return Apart([_convs(width, 2) for _ in range(scales)])


@interactor("shared2")
def _shared2(width: int, _scales: int) -> nn.Module:
    return Shared(_convs(width, 2))


@interactor("shared4")
def _shared4(width: int, _scales: int) -> nn.Module:
    return Shared(_convs(width, 4))


@interactor("rgc")
def _rgc(width: int, _scales: int) -> nn.Module:
    return Relative(Calibration(width))


@interactor("rgc_dagger")
def _rgc_dagger(width: int, _scales: int) -> nn.Module:
    return Succeeding(Calibration(width), width)


@interactor("ppm")
def _ppm(width: int, _scales: int) -> nn.Module:
    return Relative(Pyramid(width))


@interactor("ppm_dagger")
def _ppm_dagger(width: int, _scales: int) -> nn.Module:
    return Succeeding(Pyramid(width), width)
