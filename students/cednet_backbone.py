"""CEDNet's backbone: small encoder-decoders in a row, so that scales fuse early (CEDNet, Sec. 3).

As in every model the authors measured, the last stage is an encoder alone (`last_decoder=False`).
The paper's text has heads read the last decoder; its parameter counts say otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from safetensors.torch import load_file
from torch import Tensor, nn

from students.backbones import TORCHVISION
from students.cednet_blocks import CedBlock, LongRangeBlock, build_mixer
from students.cednet_norm import ChannelNorm
from students.upernet import match

STYLES = {"fpn": (False, False), "unet": (True, False), "hourglass": (True, True)}
"""Whether half of a stage's blocks go to its decoder; whether a block is on each skip (Fig. 2)."""

PART = "backbone."
"""What tensors of the backbone are called by within a whole network."""


@dataclass(frozen=True)
class Plan:
    """What makes a backbone (Sec. 3.4)."""

    channels: Sequence[int]
    """C: at 1/4, 1/8, 1/16 and 1/32."""
    stem: int
    """n0: blocks at 1/4."""
    blocks: Sequence[Sequence[int]]
    """(n1, n2, n3) of each stage: at 1/8, 1/16 and 1/32."""
    style: str = "fpn"
    mixer: str = "dw7"
    lr_block: bool = True
    drop_path: float = 0.0
    """Rate of the last block; it grows evenly from 0 at the first."""
    layer_scale: float = 1e-6
    last_decoder: bool = False

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ValueError(f"no style is called {self.style!r}; known: {', '.join(STYLES)}")
        if not self.blocks:
            raise ValueError("CEDNet has one stage or more, got none")

    def rates(self) -> list[float]:
        """Drop-path rates of all blocks in turn, those of a last decoder left out included."""
        number = self.stem + sum(map(sum, self.blocks))
        return [self.drop_path * i / max(1, number - 1) for i in range(number)]

    def chain(self, level: int, rates: Sequence[float]) -> nn.Sequential:
        """Blocks at `level`, one for each rate; at 1/32 long-range ones."""
        block = LongRangeBlock if self.lr_block and level == 3 else CedBlock
        width = self.channels[level]
        return nn.Sequential(
            *(
                block(build_mixer(self.mixer, width, level, i), width, rate, self.layer_scale)
                for i, rate in enumerate(rates)
            )
        )


def _down(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 2, stride=2), ChannelNorm(outputs))


class Stem(nn.Module):
    """Two strided convolutions and n0 blocks to 1/4, one more convolution to 1/8 (Sec. 3.1)."""

    def __init__(self, plan: Plan, rates: Sequence[float]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in ((3, 32), (32, plan.channels[0])):
            conv = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
            layers += [conv, ChannelNorm(outputs), nn.GELU()]
        self.layers = nn.Sequential(*layers, plan.chain(0, rates))
        self.down = _down(*plan.channels[:2])

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) -> c2 at 1/4 and what the first stage begins from, at 1/8."""
        c2 = self.layers(images)
        return c2, self.down(c2)


class Fuse(nn.Module):
    """One step of a decoder: LN(skip + up(1x1(coarse))), then the style's blocks (Fig. 2)."""

    def __init__(self, plan: Plan, level: int, rates: Sequence[float]) -> None:
        super().__init__()
        width = plan.channels[level]
        lateral = STYLES[plan.style][1]
        self.skip = plan.chain(level, rates[: int(lateral)])
        self.reduce = nn.Conv2d(plan.channels[level + 1], width, 1)
        self.norm = ChannelNorm(width)
        self.blocks = plan.chain(level, rates)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """The size and width of `fine`."""
        merged = self.norm(self.skip(fine) + match(self.reduce(coarse), fine))
        found: Tensor = self.blocks(merged)
        return found


class Stage(nn.Module):
    """Encoder from 1/8 to 1/32 and, with `decode`, decoder back to 1/8 (Sec. 3.2)."""

    def __init__(
        self, plan: Plan, counts: Sequence[int], rates: Sequence[float], decode: bool
    ) -> None:
        super().__init__()
        fine, middle, coarse = counts
        halved = STYLES[plan.style][0]
        early = (fine // 2, middle // 2, coarse) if halved else (fine, middle, coarse)
        left = iter(rates)
        shares = [[next(left) for _ in range(n)] for n in (*early, middle - early[1])]
        self.fine, self.middle, self.coarse = (plan.chain(i + 1, shares[i]) for i in range(3))
        self.to_middle, self.to_coarse = _down(*plan.channels[1:3]), _down(*plan.channels[2:4])
        steps = [Fuse(plan, 2, shares[3]), Fuse(plan, 1, list(left))] if decode else []
        self.decoder = nn.ModuleList(steps)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, C1, H/8, W/8) -> c3, c4, c5 at 1/8, 1/16 and 1/32."""
        c3 = self.fine(x)
        c4 = self.middle(self.to_middle(c3))
        c5 = self.coarse(self.to_coarse(c4))
        if self.decoder:
            c4 = self.decoder[0](c4, c5)
            c3 = self.decoder[1](c3, c4)
        return [c3, c4, c5]


class Trace(NamedTuple):
    """All that heads may want to read."""

    c2: Tensor
    """At 1/4, from the stem."""
    stages: list[list[Tensor]]
    """c3, c4, c5 of each stage."""
    guide: Tensor
    """c3 as the last stage got it: decoded by the stage before, or the stem's."""


class CedNet(nn.Module):
    """Stem and stages. 30,718,336 (T), 53,067,008 (S), 91,114,496 (B) parameters."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.channels = tuple(plan.channels)
        left = iter(plan.rates())
        self.stem = Stem(plan, [next(left) for _ in range(plan.stem)])
        self.stages = nn.ModuleList()
        for i, counts in enumerate(plan.blocks):
            decode = plan.last_decoder or i + 1 < len(plan.blocks)
            rates = [next(left) for _ in range(sum(counts))]
            self.stages.append(Stage(plan, counts, rates, decode))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="linear")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def trace(self, images: Tensor) -> Trace:
        """Normalised images (B, 3, H, W) -> levels of every stage."""
        c2, x = self.stem(images)
        guide, stages = x, []
        for stage in self.stages:
            guide = x
            stages.append(stage(guide))
            x = stages[-1][0]
        return Trace(c2, stages, guide)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Normalised images (B, 3, H, W) -> c2 of the stem and c3, c4, c5 of the last stage."""
        c2, stages, _ = self.trace(images)
        return [c2, *stages[-1]]


def load_cednet(backbone: CedNet, weights: str | Path | None) -> None:
    """Fill `backbone` from a safetensors file; None leaves it as it is.

    The file holds its own state dict, or that of a whole CEDNet such as a classifier, of which the
    backbone's part is taken. Raises `ValueError` for `torchvision`, which publishes none, and
    naming the first tensor that is missing or has another shape.
    """
    if weights is None:
        return
    if str(weights) == TORCHVISION:
        raise ValueError("torchvision publishes no CEDNet weights; give a safetensors file or none")
    own = backbone.state_dict()
    state = {name.removeprefix(PART): each for name, each in load_file(str(weights)).items()}
    for name, tensor in own.items():
        if name not in state:
            raise ValueError(f"{weights} is no file of this CEDNet: it lacks {name}")
        if state[name].shape != tensor.shape:
            found, wanted = tuple(state[name].shape), tuple(tensor.shape)
            raise ValueError(f"{weights}: {name} has shape {found}, expected {wanted}")
    backbone.load_state_dict({name: state[name] for name in own})
