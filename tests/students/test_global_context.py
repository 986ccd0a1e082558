"""Global aggregation: each kind against a slow reference or the cost of its layers."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from students import global_context
from students.global_context import (
    GroupedAttention,
    PixelAttention,
    PooledNorm,
    with_pooled_norms,
)


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def settled(module: nn.Module, seed: int = 0) -> nn.Module:
    """In float64, with statistics and weights of its own everywhere."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d | nn.GroupNorm):
            nn.init.uniform_(part.weight, 0.5, 1.5, generator=generator)
            nn.init.uniform_(part.bias, -1, 1, generator=generator)
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.uniform_(-1, 1, generator=generator)
            part.running_var.uniform_(0.5, 2, generator=generator)
    return module.double().eval()


def values(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def slow_group_norm(x: Tensor, norm: nn.GroupNorm) -> Tensor:
    found = torch.empty_like(x)
    size = x.shape[1] // norm.num_groups
    for image in range(len(x)):
        for first in range(0, x.shape[1], size):
            part = x[image, first : first + size]
            spread = ((part - part.mean()) ** 2).mean()
            found[image, first : first + size] = (part - part.mean()) / (spread + norm.eps).sqrt()
    return found * norm.weight.view(1, -1, 1, 1) + norm.bias.view(1, -1, 1, 1)


def convolved(x: Tensor, conv: nn.Conv2d) -> Tensor:
    """1x1, channel group by channel group."""
    inputs = x.shape[1] // conv.groups
    outputs = conv.out_channels // conv.groups
    parts = [
        torch.einsum(
            "oi,bihw->bohw",
            conv.weight[g * outputs : (g + 1) * outputs, :, 0, 0],
            x[:, g * inputs : (g + 1) * inputs],
        )
        for g in range(conv.groups)
    ]
    return torch.cat(parts, 1)


@pytest.mark.parametrize("strength", [1.0, 1e-3])
def test_cgnl_is_the_plain_sum_of_every_group(strength: float) -> None:
    # Weak inputs too: then the group norm's epsilon is no longer small beside the variance.
    module = settled(GroupedAttention(32))
    x = strength * values(2, 32, 5, 6)
    theta, phi, g = (convolved(x, conv) for conv in (module.theta, module.phi, module.g))
    seen = torch.empty_like(theta)
    for image in range(2):
        for first in range(0, 16, 2):
            group = slice(first, first + 2)
            seen[image, group] = (phi[image, group] * g[image, group]).sum() * theta[image, group]
    expected = x + slow_group_norm(convolved(seen, module.z), module.norm)
    torch.testing.assert_close(module(x), expected, rtol=1e-9, atol=1e-12)


@torch.no_grad()
def test_non_local_is_a_mean_of_all_pixels_by_their_likeness() -> None:
    module = settled(PixelAttention(6))
    x = values(1, 6, 3, 4)
    theta, phi, g = (conv(x)[0].flatten(1) for conv in (module.theta, module.phi, module.g))
    seen = torch.zeros_like(g)
    for i in range(12):
        alike = [math.exp(float(theta[:, i] @ phi[:, j])) for j in range(12)]
        for j in range(12):
            seen[:, i] += alike[j] / sum(alike) * g[:, j]
    expected = x + module.z(seen.view(1, 3, 3, 4))
    torch.testing.assert_close(module(x), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", global_context.names())
@pytest.mark.parametrize("size", [(15, 15), (16, 22)])
def test_shapes_stay(name: str, size: tuple[int, int]) -> None:
    module = global_context.build(name, 16).eval()
    x = torch.randn(2, 16, *size)
    assert module(x).shape == x.shape
    if name == "none":
        assert torch.equal(module(x), x)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("none", 0),
        ("psp", 4 * (512 * 512 + 2 * 512) + 5 * 512 * 512 * 9 + 2 * 512),
        ("aspp", 2 * (512 * 256 + 512) + 3 * (512 * 256 * 9 + 512) + 5 * 256 * 512 + 2 * 512),
        ("nl", 512 * 9 + 512 + 2 * 512 + 4 * 512 * 256 + 2 * 512),
        ("cgnl", 512 * 9 + 512 + 2 * 512 + 3 * 512 * 256 + 512 * 256 // 8 + 2 * 512),
    ],
)
def test_an_aggregation_costs_what_its_layers_are(name: str, count: int) -> None:
    with torch.device("meta"):
        assert parameters(global_context.build(name, 512)) == count


def test_a_pooled_norm_is_the_group_norm() -> None:
    attention = settled(GroupedAttention(32))
    pooled = with_pooled_norms(attention)
    assert isinstance(pooled.norm, PooledNorm)
    assert not isinstance(attention.norm, PooledNorm)
    x = values(2, 32, 5, 7)
    torch.testing.assert_close(pooled(x), attention(x))
