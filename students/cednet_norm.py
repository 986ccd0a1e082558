"""CEDNet's layer norm of every pixel by itself, and an equal one for export."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from students.layers import exchanged


class ChannelNorm(nn.Module):
    """LayerNorm over the channels of (B, C, H, W), at every pixel by itself."""

    def __init__(self, width: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(1, keepdim=True)
        variance = centred.square().mean(1, keepdim=True)
        normal = centred * (variance + self.eps).rsqrt()
        return normal * self.weight.view(-1, 1, 1) + self.bias.view(-1, 1, 1)


class PointwiseNorm(nn.Module):
    """`ChannelNorm` with its means as 1x1 convolutions: XNNPACK has no mean over channels alone."""

    share: Tensor

    def __init__(self, norm: ChannelNorm) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps
        width = len(norm.weight)
        self.register_buffer("share", norm.weight.new_full((1, width, 1, 1), 1 / width))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        centred = x - F.conv2d(x, self.share)
        variance = F.conv2d(centred * centred, self.share)
        normal = centred * (variance + self.eps).rsqrt()
        return normal * self.weight.view(-1, 1, 1) + self.bias.view(-1, 1, 1)


def with_pointwise_norms(module: nn.Module) -> nn.Module:
    """A copy of `module` whose every `ChannelNorm` is a `PointwiseNorm`."""
    return exchanged(module, ChannelNorm, PointwiseNorm)
