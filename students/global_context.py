"""Global aggregation: what gathers context from the whole image (GALD, Sec. 3.1, Fig. 3 a-d)."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from students.layers import conv_bn, exchanged, resized

Build = Callable[[int], nn.Module]
"""Width -> a module that takes and gives (B, width, h, w)."""
_BUILDERS: dict[str, Build] = {}
POOLS = (1, 2, 3, 6)
DILATIONS = (12, 24, 36)
"""Of ASPP's branches at stride 8."""
GROUPS = 8
"""Of CGNL's channels, which correlate within their group alone."""


def aggregation(name: str) -> Callable[[type[nn.Module]], type[nn.Module]]:
    """Register a module class under its name in configurations."""

    def add(module: type[nn.Module]) -> type[nn.Module]:
        _BUILDERS[name] = module
        return module

    return add


def names() -> list[str]:
    """Every aggregation, sorted."""
    return sorted(_BUILDERS)


def build(name: str, width: int) -> nn.Module:
    """The aggregation called `name`; `ValueError` with all names for another."""
    if name not in _BUILDERS:
        raise ValueError(f"no aggregation is called {name!r}; known: {', '.join(names())}")
    return _BUILDERS[name](width)


@aggregation("none")
class Nothing(nn.Identity):
    """The plain fully convolutional baseline."""

    def __init__(self, _width: int) -> None:
        super().__init__()


@aggregation("psp")
class PyramidPooling(nn.Module):
    """PSPNet's: four pooled branches beside the input, joined by a 3x3 convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        # No ReLU in the branches, as in the authors' code.
        self.branches = nn.ModuleList(conv_bn(width, width, 1, relu=False) for _ in POOLS)
        self.fuse = nn.Sequential(conv_bn((len(POOLS) + 1) * width, width, 3), nn.Dropout2d(0.1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape."""
        pooled = [
            resized(branch(F.adaptive_avg_pool2d(x, bins)), x.shape[-2:])
            for branch, bins in zip(self.branches, POOLS, strict=True)
        ]
        found: Tensor = self.fuse(torch.cat([*pooled, x], 1))
        return found


@aggregation("aspp")
class AtrousPyramid(nn.Module):
    """DeepLab's: 1x1, three dilated 3x3 and the image's mean, each of half the width, joined."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = width // 2
        self.image = conv_bn(width, inner, 1)
        self.branches = nn.ModuleList(
            [
                conv_bn(width, inner, 1),
                *(conv_bn(width, inner, 3, dilation=each) for each in DILATIONS),
            ]
        )
        self.fuse = nn.Sequential(conv_bn(5 * inner, width, 1), nn.Dropout2d(0.1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape."""
        mean = resized(self.image(x.mean(dim=(2, 3), keepdim=True)), x.shape[-2:])
        found: Tensor = self.fuse(torch.cat([mean, *(branch(x) for branch in self.branches)], 1))
        return found


class Halved(nn.Module):
    """Runs what relates all pixels at half the size, as the authors' code does."""

    def __init__(self, width: int, inner: nn.Module) -> None:
        super().__init__()
        self.down = depthwise_down(width)
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape; sides of at least 3."""
        return resized(self.inner(self.down(x)), x.shape[-2:])


def depthwise_down(width: int) -> nn.Sequential:
    """Depthwise 3x3 of stride 2, without padding: n pixels become (n - 1) // 2."""
    return nn.Sequential(
        nn.Conv2d(width, width, 3, 2, groups=width), nn.BatchNorm2d(width), nn.ReLU()
    )


class PixelAttention(nn.Module):
    """Non-local block, embedded Gaussian: every pixel is a mean of all, weighted by likeness."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = width // 2
        self.inner = inner
        self.theta, self.phi, self.g = (nn.Conv2d(width, inner, 1, bias=False) for _ in range(3))
        self.z = nn.Sequential(nn.Conv2d(inner, width, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape."""
        theta, phi, g = (
            layer(x).reshape(x.shape[0], self.inner, -1) for layer in (self.theta, self.phi, self.g)
        )
        alike = torch.matmul(theta.transpose(1, 2), phi).softmax(dim=-1)
        seen = torch.matmul(g, alike.transpose(1, 2)).reshape(x.shape[0], -1, *x.shape[-2:])
        found: Tensor = x + self.z(seen)
        return found


class Grouped(nn.GroupNorm):
    """Group norm with an epsilon of the moment."""

    def forward(self, x: Tensor, eps: float) -> Tensor:  # type: ignore[override]
        """(B, C, h, w) -> the same."""
        return F.group_norm(x, self.num_groups, self.weight, self.bias, eps)


class PooledNorm(nn.Module):
    """`Grouped` as two global means, which XNNPACK takes; it leaves group norms."""

    def __init__(self, norm: Grouped) -> None:
        super().__init__()
        self.weight, self.bias = norm.weight, norm.bias
        self.eps, self.groups = norm.eps, norm.num_groups

    def forward(self, x: Tensor, eps: float) -> Tensor:
        """(B, C, h, w) -> the same."""
        grouped = x.reshape(x.shape[0], self.groups, -1, x.shape[-1])
        centred = grouped - grouped.mean((2, 3), keepdim=True)
        variance = (centred * centred).mean((2, 3), keepdim=True)
        normal = (centred * (variance + eps).rsqrt()).reshape(x.shape)
        return normal * self.weight.view(-1, 1, 1) + self.bias.view(-1, 1, 1)


def with_pooled_norms(module: nn.Module) -> nn.Module:
    """A copy of `module` whose every `Grouped` is a `PooledNorm`."""
    return exchanged(module, Grouped, PooledNorm)


class GroupedAttention(nn.Module):
    """CGNL: within each group of channels, one dot product over channels and pixels together.

    The dot product is divided by its number of terms n and the variance's epsilon by n², which the
    group norm behind it undoes: the result is that of the plain sum, without its 73,000-fold range.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        planes = width // 2
        self.planes = planes
        self.theta, self.phi, self.g = (nn.Conv2d(width, planes, 1, bias=False) for _ in range(3))
        self.z = nn.Conv2d(planes, width, 1, groups=GROUPS, bias=False)
        self.norm = Grouped(GROUPS, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape."""
        batch, _, height, width = x.shape
        theta, phi, g = (
            layer(x).reshape(batch, GROUPS, -1, width) for layer in (self.theta, self.phi, self.g)
        )
        terms = self.planes // GROUPS * height * width
        # Four axes and the mean of the last two: XNNPACK's global pooling.
        dot = (phi * g).mean(dim=(2, 3), keepdim=True)
        seen = self.z((dot * theta).reshape(batch, self.planes, height, width))
        found: Tensor = x + self.norm(seen, self.norm.eps / terms**2)
        return found


@aggregation("nl")
class NonLocal(Halved):
    """Non-local attention at half the size."""

    def __init__(self, width: int) -> None:
        super().__init__(width, PixelAttention(width))


@aggregation("cgnl")
class CompactNonLocal(Halved):
    """Compact generalised non-local attention at half the size: the paper's choice."""

    def __init__(self, width: int) -> None:
        super().__init__(width, GroupedAttention(width))
