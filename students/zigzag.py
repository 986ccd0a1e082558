"""ZigZag: context that goes down and up a pyramid of features, several times over (Sec. 3).

Each stage passes the levels from coarse to fine and back. On its way a level receives the contexts
of all levels passed before it (Eq. 1, 3) and starts from both passes before, fused (Eq. 2, 4).

Rows of Table 1: `zigzag=down stages=1 dense=false`; no feature fusion: `zigzag=up stages=1`; no
context exchange: `stages=1`; no dense pathways: `dense=false`. Table 2 is `context`, SCF
`combine=sum`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args, get_type_hints

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from students import zigzag_context
from students.zigzag_context import Clip, Kernels, Pooling

Way = Literal["down", "up"]


@dataclass(frozen=True)
class Design:
    """Switches of a neck. Raises `ValueError` naming what there is for a value that is not."""

    width: int = 256
    """Channels of every level."""
    stages: int = 3
    """T: how often context goes down and up."""
    context: str = "rce"
    """What a map passes on: a name of `zigzag_context`."""
    combine: Literal["prod", "sum", "author"] = "prod"
    """How contexts of several levels join: multiplied, added (SCF), or as the authors' code does:
    the neighbour added as it is, the others multiplied through pathways of their own, at the first
    stage with the level itself."""
    dense: bool = True
    """From all levels passed before, or from the neighbour alone."""
    fuse: Literal["sum_conv", "mul"] = "sum_conv"
    """Eq. 2 and 4: a convolution of the sum, or the authors' product of two convolutions."""
    zigzag: Literal["down", "up", "full"] = "full"
    """What leaves: the way down alone, the last way up, or both fused by Eq. 2."""
    resize: Literal["nearest", "bilinear"] = "nearest"
    share: Literal["none", "stages", "all"] = "none"
    """Which contexts are one: none, a level's at all stages of a direction, or all there are."""
    norm: Literal["group", "batch", "none"] = "group"
    """Of fused maps and of every context (but `author`'s); `batch` also clips contexts."""
    kernels: Kernels = "dense"
    pooling: Pooling = "mean"
    outputs: Literal["all", "finest"] = "all"
    """`finest` leaves out what the finest level does not need of the last stage; coarser outputs
    are then those of its way down."""
    narrow: bool = False
    """Stages between the first and the last have half the width (the authors' code)."""
    post: bool = False
    """A 3x3 convolution behind every output (the authors' code)."""

    def __post_init__(self) -> None:
        zigzag_context.require(self.context)
        for name, hint in get_type_hints(type(self)).items():
            known, value = get_args(hint), getattr(self, name)
            if known and value not in known:
                raise ValueError(f"{name} is one of {', '.join(known)}; got {value!r}")
        if self.stages < 1 or (self.zigzag == "down" and self.stages > 1):
            raise ValueError(f"stages is at least 1, and 1 with zigzag=down; got {self.stages}")
        if self.narrow and (self.fuse, self.share) != ("mul", "none"):
            raise ValueError("narrow needs fuse=mul and share=none: stages differ in width")

    @functools.cached_property
    def widths(self) -> list[int]:
        """Channels of every stage."""
        inner = self.width // 2 if self.narrow else self.width
        return [self.width if s in (0, self.stages - 1) else inner for s in range(self.stages)]


class Fuse(nn.Module):
    """Eq. 2 and 4: ReLU(W * (a + b)), or ReLU(V * a) ReLU(W * b) as the authors' code has it."""

    def __init__(self, design: Design, inputs: tuple[int, int], width: int) -> None:
        super().__init__()
        self.multiply = design.fuse == "mul"
        self.convs = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, width, 3, padding=1, bias=design.norm == "none"),
                _norm(design.norm, width),
                nn.ReLU(),
            )
            for channels in inputs[: 2 if self.multiply else 1]
        )

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(B, C, H, W) each -> (B, width, H, W)."""
        given = [a, b] if self.multiply else [a + b]
        return _product([conv(x) for conv, x in zip(self.convs, given, strict=True)])


class Flow(nn.Module):
    """One way through the levels (Eq. 1 or 3), in the order of travel.

    `starts` make P of what a level is given; `first` says that this is the first stage.
    """

    def __init__(self, design: Design, starts: list[nn.Module], width: int, first: bool) -> None:
        super().__init__()
        self.combine, self.resize, self.first = design.combine, design.resize, first
        self.starts = nn.ModuleList(starts)
        gap = 2 if self.combine == "author" else 1
        self.sources = [
            [m for m in range(n + 1 - gap) if design.dense or m == n - 1]
            for n in range(len(starts))
        ]
        self.keys = sorted({self.key(m, n) for n, ms in enumerate(self.sources) for m in ms})
        kind = "none" if self.combine == "author" else design.norm
        self.norms = nn.ModuleDict({key: _norm(kind, width, bound=True) for key in self.keys})

    def key(self, source: int, target: int) -> str:
        """Which context lies between positions: the source's or, with `author`, the pair's."""
        return f"{source}_{target}" if self.combine == "author" else str(source)

    def forward(
        self, given: Sequence[tuple[Tensor, ...]], contexts: Mapping[str, nn.Module]
    ) -> list[Tensor]:
        """What each level starts from -> F of each, (B, width, h, w)."""
        maps: list[Tensor] = []
        told: dict[str, Tensor] = {}
        for n, start in enumerate(self.starts):
            x = start(*given[n])
            heard = []
            for m in self.sources[n]:
                key = self.key(m, n)
                if key not in told:
                    told[key] = self.norms[key](contexts[key](maps[m]))
                heard.append(self._resized(told[key], x))
            maps.append(self._joined(x, heard, maps))
        return maps

    def _joined(self, x: Tensor, heard: list[Tensor], passed: list[Tensor]) -> Tensor:
        if self.combine == "author":
            if heard:
                x = _product([x, *heard]) if self.first else x + _product(heard)
            return x + self._resized(passed[-1], x) if passed else x
        if not heard:  # an empty product is left out, it is not 1
            return x
        return x + (_product(heard) if self.combine == "prod" else sum(heard[1:], heard[0]))

    def _resized(self, x: Tensor, like: Tensor) -> Tensor:
        corners = False if self.resize == "bilinear" else None
        size = list(like.shape[-2:])
        return F.interpolate(x, size=size, mode=self.resize, align_corners=corners)


class ZigZag(nn.Module):
    """Levels of a backbone (B, channels[i], h_i, w_i), fine to coarse -> as many of `width`.

    On a ResNet-101 the paper's neck has 220,038,656 parameters if nothing is shared, 196M of them
    kernels of its 18 RCEs, and 31,740,672 with one RCE; the authors' has 31,574,784.
    """

    def __init__(self, channels: Sequence[int], design: Design) -> None:
        super().__init__()
        self.design = design
        self.contexts = nn.ModuleDict()
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        whole = len(channels) if design.outputs == "all" else 1
        before, author = 0, design.combine == "author"
        for stage, width in enumerate(design.widths):
            starts: list[nn.Module] = [_conv(c, width) for c in reversed(channels)]
            if stage:
                starts = [Fuse(design, (before, before), width) for _ in channels]
            self.downs.append(self._flow("down", stage, starts, width))
            starts = [_conv(width, width) if author else nn.Identity() for _ in channels]
            if stage:
                starts = [Fuse(design, (width, before), width) for _ in channels]
            if design.zigzag != "down":
                last = stage == design.stages - 1
                self.ups.append(self._flow("up", stage, starts[: whole if last else None], width))
            before = width
        fuses = [Fuse(design, (width, width), width) for _ in channels[:whole]]
        self.fuses = nn.ModuleList(fuses if design.zigzag == "full" else [])
        posts = [_conv(width, width) for _ in channels[:whole]]
        self.posts = nn.ModuleList(posts if design.post else [])
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                # Xavier's by inputs alone, as in the authors' code.
                nn.init.kaiming_uniform_(module.weight, nonlinearity="linear")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, taps: Sequence[Tensor]) -> list[Tensor]:
        """The last stage's maps, all (B, width, h_i, w_i), fine to coarse."""
        down, up = list(taps), list[Tensor]()
        for stage in range(self.design.stages):
            down = self._passed("down", stage, down, up)
            if self.design.zigzag != "down":
                up = self._passed("up", stage, down, up)
        ends = up or down
        if self.design.zigzag == "full":
            ends = [fuse(a, b) for fuse, a, b in zip(self.fuses, down, up, strict=False)]
        if self.design.post:
            ends = [post(x) for post, x in zip(self.posts, ends, strict=False)]
        return [*ends, *down[len(ends) :]]

    def _passed(self, way: Way, stage: int, a: list[Tensor], b: list[Tensor]) -> list[Tensor]:
        flow = cast("Flow", (self.downs if way == "down" else self.ups)[stage])
        contexts = {key: self.contexts[self._name(way, stage, key)] for key in flow.keys}
        order = slice(None, None, -1 if way == "down" else 1)
        given: list[tuple[Tensor, ...]] = [*zip(a, b, strict=True)] if b else [(x,) for x in a]
        return list(flow(given[order], contexts))[order]

    def _flow(self, way: Way, stage: int, starts: list[nn.Module], width: int) -> Flow:
        """A way, after the contexts it needs that are not there yet."""
        design, flow = self.design, Flow(self.design, starts, width, stage == 0)
        for name in (self._name(way, stage, key) for key in flow.keys):
            if name not in self.contexts:
                made = zigzag_context.build(design.context, width, design.kernels, design.pooling)
                self.contexts[name] = made
        return flow

    def _name(self, way: Way, stage: int, key: str) -> str:
        names = {"none": f"{way}{stage}_{key}", "stages": f"{way}_{key}", "all": "every"}
        return names[self.design.share]


def _conv(inputs: int, outputs: int) -> nn.Module:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def _norm(kind: str, width: int, *, bound: bool = False) -> nn.Module:
    """Products feed products: where running statistics do not fit, they would grow to powers of
    27 and beyond, so that a context (`bound`) is clipped behind batch norm.
    """
    if kind == "group":
        return nn.GroupNorm(math.gcd(32, width), width)
    clip = [Clip()] if bound else []
    return nn.Sequential(nn.BatchNorm2d(width), *clip) if kind == "batch" else nn.Identity()


def _product(maps: list[Tensor]) -> Tensor:
    """In float32 whatever autocast made of the maps: what is large or small in them multiplies."""
    if maps[0].dtype not in (torch.float16, torch.bfloat16):
        return functools.reduce(torch.mul, maps)
    return functools.reduce(torch.mul, [x.float() for x in maps]).to(maps[0].dtype)
