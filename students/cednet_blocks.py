"""CEDNet's blocks: a token mixer and an MLP; the long-range one adds dilation (CEDNet, Sec. 3.3).

All is laid out (B, C, H, W), linear layers are 1x1 convolutions: no graph permutes anything but
inside attention. There, tensors keep to five axes, the most that Core ML takes.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from students.cednet_norm import ChannelNorm

Build = Callable[[int, int, int], nn.Module]
"""(width, level, position in its chain) -> token mixer; level 0 is at 1/4, level 3 at 1/32."""
_BUILDERS: dict[str, Build] = {}
DILATION = 3
WINDOW = 7
"""Side of Swin's windows; every other block shifts them by half."""
STRIPES = (1, 2, 7, 7)
"""Breadth of CSwin's stripes at each level."""
HEAD = 32
"""Channels of an attention head, at least."""


def mixer(name: str) -> Callable[[Build], Build]:
    """Register a builder under its name in configurations."""

    def add(build: Build) -> Build:
        _BUILDERS[name] = build
        return build

    return add


def mixers() -> list[str]:
    """Every token mixer, sorted."""
    return sorted(_BUILDERS)


def build_mixer(name: str, width: int, level: int = 0, position: int = 0) -> nn.Module:
    """The token mixer called `name`; `ValueError` with all names for another."""
    if name not in _BUILDERS:
        raise ValueError(f"no token mixer is called {name!r}; known: {', '.join(mixers())}")
    return _BUILDERS[name](width, level, position)


class DropPath(nn.Module):
    """Leaves out a branch for images drawn at random, while training; torch's generator draws."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: Tensor) -> Tensor:
        """(B, …) -> the same, 0 for a share `rate` of images and 1 / (1 - rate) times the rest."""
        if not self.training or self.rate == 0:
            return branch
        kept = branch.new_empty((len(branch), 1, 1, 1)).bernoulli_(1 - self.rate)
        return branch * kept / (1 - self.rate)


def depthwise(width: int, side: int, dilation: int = 1) -> nn.Conv2d:
    """One filter per channel; the size stays."""
    padding = dilation * (side // 2)
    return nn.Conv2d(width, width, side, 1, padding, dilation, groups=width)


class Branch(nn.Module):
    """What both blocks end with: MLP, a scale per channel that starts small, stochastic depth."""

    def __init__(self, width: int, drop_path: float, scale: float) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Conv2d(width, 4 * width, 1), nn.GELU(), nn.Conv2d(4 * width, width, 1)
        )
        self.scale = nn.Parameter(torch.full((width,), scale))
        self.drop = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        found: Tensor = self.drop(self.scale.view(-1, 1, 1) * self.mlp(x))
        return found


class CedBlock(nn.Module):
    """x + MLP(LN(mixer(x))): the solid elements of Fig. 3."""

    def __init__(self, mix: nn.Module, width: int, drop_path: float, scale: float) -> None:
        super().__init__()
        self.mix, self.norm = mix, ChannelNorm(width)
        self.branch = Branch(width, drop_path, scale)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        found: Tensor = x + self.branch(self.norm(self.mix(x)))
        return found


class LongRangeBlock(nn.Module):
    """Fig. 3, dashed elements too: a dilated 7x7 between mixer and MLP, each with a skip.

    a = x + GELU(LN(mixer(x))); b = a + GELU(LN(dilated(a))); x + MLP(b), no norm before the MLP.
    """

    def __init__(self, mix: nn.Module, width: int, drop_path: float, scale: float) -> None:
        super().__init__()
        self.mix, self.norm = mix, ChannelNorm(width)
        self.dilated, self.dilated_norm = depthwise(width, 7, DILATION), ChannelNorm(width)
        self.branch = Branch(width, drop_path, scale)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        near = x + F.gelu(self.norm(self.mix(x)))
        far = near + F.gelu(self.dilated_norm(self.dilated(near)))
        found: Tensor = x + self.branch(far)
        return found


def heads_of(width: int) -> int:
    """As many heads as divide `width` into `HEAD` channels or more each."""
    return max(n for n in range(1, max(1, width // HEAD) + 1) if width % n == 0)


def split(x: Tensor, rows: int, columns: int) -> Tensor:
    """(B, C, n rows, m columns) -> windows (B n m, C, rows columns)."""
    batch, channels, height, width = x.shape
    x = x.reshape(batch, channels, height // rows, rows, width).transpose(1, 2)
    x = x.reshape(-1, channels, rows, width // columns, columns).permute(0, 3, 1, 2, 4)
    return x.reshape(-1, channels, rows * columns)


def join(x: Tensor, size: tuple[int, int], rows: int, columns: int) -> Tensor:
    """Windows (B n m, C, rows columns) -> (B, C, *size): `split` undone."""
    (height, width), channels = size, x.shape[1]
    x = x.reshape(-1, width // columns, channels, rows, columns).permute(0, 2, 3, 1, 4)
    x = x.reshape(-1, height // rows, channels, rows, width).transpose(1, 2)
    return x.reshape(-1, channels, height, width)


def attend(
    qkv: Tensor, rows: int, columns: int, heads: int, shift: int = 0, bias: Tensor | None = None
) -> Tensor:
    """Self-attention inside windows of a grid that starts `shift` above and left of the map.

    `qkv` (B, 3C, H, W) -> (B, C, H, W); `bias` (heads, N, N) for the N pixels of a window. Windows
    at the edge are filled up with pixels that nobody attends to.
    """
    batch, channels, height, width = qkv.shape
    size = (height + shift + -(height + shift) % rows, width + shift + -(width + shift) % columns)
    pad = (shift, size[1] - width - shift, shift, size[0] - height - shift)
    tokens = split(F.pad(qkv, pad), rows, columns)
    tokens = tokens.reshape(len(tokens), 3 * heads, -1, rows * columns)
    queries, keys, values = tokens.chunk(3, dim=1)  # (windows, heads, channels, pixels)
    scores = (queries * queries.shape[2] ** -0.5).transpose(2, 3) @ keys
    if bias is not None:
        scores = scores + bias
    if any(pad):
        real = split(F.pad(qkv.new_ones(batch, 1, height, width), pad), rows, columns)
        scores = scores + 100 * (real[:, :, None] - 1)
    mixed = (values @ scores.softmax(-1).transpose(2, 3)).reshape(len(tokens), channels // 3, -1)
    return join(mixed, size, rows, columns)[:, :, shift : shift + height, shift : shift + width]


class WindowAttention(nn.Module):
    """Attention in windows of 7x7, with Swin's relative position bias, on the normed map."""

    places: Tensor

    def __init__(self, width: int, shift: int) -> None:
        super().__init__()
        self.shift, self.heads = shift, heads_of(width)
        self.norm = ChannelNorm(width)
        self.qkv, self.project = nn.Conv2d(width, 3 * width, 1), nn.Conv2d(width, width, 1)
        self.position_bias = nn.Parameter(torch.empty(self.heads, (2 * WINDOW - 1) ** 2))
        nn.init.trunc_normal_(self.position_bias, std=0.02)
        y, x = torch.arange(WINDOW**2) // WINDOW, torch.arange(WINDOW**2) % WINDOW
        down, right = (axis[:, None] - axis[None] + WINDOW - 1 for axis in (y, x))
        self.register_buffer("places", down * (2 * WINDOW - 1) + right, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        bias = self.position_bias[:, self.places]
        qkv = self.qkv(self.norm(x))
        mixed: Tensor = self.project(attend(qkv, WINDOW, WINDOW, self.heads, self.shift, bias))
        return mixed


class CrossAttention(nn.Module):
    """CSwin's cross-shaped windows: half of the channels see rows, half columns, a stripe each.

    A 3x3 depthwise convolution of the values tells where they are (CSwin's LePE).
    """

    def __init__(self, width: int, stripe: int) -> None:
        super().__init__()
        self.stripe, self.heads = stripe, heads_of(width // 2)
        self.norm = ChannelNorm(width)
        self.rows, self.columns = (nn.Conv2d(width, 3 * (width // 2), 1) for _ in range(2))
        self.local = depthwise(width, 3)
        self.project = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        height, width = x.shape[-2:]
        normal = self.norm(x)
        rows, columns = self.rows(normal), self.columns(normal)
        values = torch.cat([part.chunk(3, dim=1)[2] for part in (rows, columns)], 1)
        across = attend(rows, self.stripe, width, self.heads)
        along = attend(columns, height, self.stripe, self.heads)
        mixed: Tensor = self.project(torch.cat([across, along], 1) + self.local(values))
        return mixed


@mixer("dw7")
def _dw7(width: int, _level: int, _position: int) -> nn.Module:
    return depthwise(width, 7)


@mixer("conv3")
def _conv3(width: int, _level: int, _position: int) -> nn.Module:
    return nn.Conv2d(width, width, 3, padding=1)


@mixer("window")
def _window(width: int, _level: int, position: int) -> nn.Module:
    return WindowAttention(width, position % 2 * (WINDOW // 2))


@mixer("cross")
def _cross(width: int, level: int, _position: int) -> nn.Module:
    return CrossAttention(width, STRIPES[level])
