"""Which images make up which batch: pure functions of seed, epoch and step.

Nothing here has a state that a checkpoint would have to carry: a run that goes on at step 37 asks
for the batches from 37 on and gets the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from torch.utils.data import Sampler

from pipeline.data.augment import View

STRAIGHT = View()
NO_SCALING = (1.0, 1.0)


@dataclass(frozen=True)
class Pick:
    """One image of a batch and how it is shown."""

    index: int
    view: View = STRAIGHT


def order(size: int, seed: int, epoch: int) -> list[int]:
    """The permutation of `range(size)` for one epoch."""
    generator = np.random.Generator(np.random.PCG64([seed, epoch]))
    shuffled: list[int] = generator.permutation(size).tolist()
    return shuffled


def flips(seed: int, epoch: int, index: int) -> bool:
    """Whether an image is mirrored in an epoch: a fair coin for each (seed, epoch, index)."""
    # The leading 1 keeps these coins apart from the sequence that `order` draws from.
    return bool(np.random.SeedSequence([1, seed, epoch, index]).generate_state(1)[0] & 1)


def view(
    seed: int,
    epoch: int,
    index: int,
    flip: bool,
    scale: tuple[float, float],
    stretch: float = 1.0,
) -> View:
    """How an image is shown in an epoch: a pure function, like its coin.

    The scale lies between both of `scale`, uniform in its logarithm: halving is as likely as
    doubling. So does an enlarged part's stretch, between `1 / stretch` and `stretch`.
    """
    mirrored = flip and flips(seed, epoch, index)
    if scale == NO_SCALING:
        return View(mirrored)
    generator = np.random.Generator(np.random.PCG64([2, seed, epoch, index]))
    low, high = np.log(scale)
    size, x, y = generator.random(3)
    # Drawn after the others, which are the same without it.
    wider = float(stretch ** (2 * generator.random() - 1)) if stretch != 1 else 1.0
    return View(mirrored, float(np.exp(low + size * (high - low))), float(x), float(y), wider)


def steps(size: int, batch: int, drop_last: bool = False) -> int:
    """Batches in one epoch of `size` images."""
    return size // batch if drop_last else -(-size // batch)


@dataclass(frozen=True)
class BatchPlan(Sampler[list[Pick]]):
    """Batches of one epoch from `first_step` on; each image comes once per epoch.

    The last batch is smaller unless `drop_last` leaves it out. Rank r of `world` is given the r-th
    of equal slices of each batch, so the batches of all ranks make up those of one process. Raises
    `ValueError` for a batch below 1, one that the ranks cannot share, or a first step outside the
    epoch.
    """

    size: int
    batch: int
    seed: int
    epoch: int
    first_step: int = 0
    flip: bool = False
    drop_last: bool = False
    scale: tuple[float, float] = NO_SCALING
    rank: int = 0
    world: int = 1
    stretch: float = 1.0

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ValueError(f"a batch of {self.batch} images; use at least 1")
        if self.world > 1 and (self.batch % self.world or not self.drop_last):
            raise ValueError(f"{self.world} ranks need whole batches that they can share equally")
        if not 0 <= self.first_step <= steps(self.size, self.batch, self.drop_last):
            raise ValueError(f"step {self.first_step} lies outside the epoch")

    def __len__(self) -> int:
        return steps(self.size, self.batch, self.drop_last) - self.first_step

    def __iter__(self) -> Iterator[list[Pick]]:
        shuffled = order(self.size, self.seed, self.epoch)
        share = self.batch // self.world
        for step in range(self.first_step, self.first_step + len(self)):
            first = step * self.batch + self.rank * share
            chosen = shuffled[first : first + share]
            how = (self.flip, self.scale, self.stretch)
            yield [Pick(i, view(self.seed, self.epoch, i, *how)) for i in chosen]
