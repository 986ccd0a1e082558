"""Where people look whatever the image shows: a kernel density estimate over many images.

The estimate is pysaliency's `BaselineModel`: all fixations moved to one size, blurred by a Gaussian
and mixed with a little of a uniform density, so that no pixel is impossible. The bandwidth is a
fraction of each side: standard deviations of `bandwidth * height` vertically and
`bandwidth * width` horizontally. DeepGaze's published centre bias of MIT1003 has the bandwidth
0.0217 and 2e-13 of uniform.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from pipeline.metrics.points import Points

Floats = NDArray[np.float64]
Counts = Iterable[NDArray[np.integer] | Tensor | Points]

BANDWIDTHS = (0.01, 0.0147, 0.0217, 0.0316, 0.0464, 0.0681, 0.1)
"""Three to a factor of 3.16, around the one of MIT1003."""
WEIGHTS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
"""Shares of the uniform density."""
FIT_SIZE = (96, 128)
"""Where bandwidths are compared: finer than any of them, and quick."""
MOST_LEFT_OUT = 500
"""Images that are left out in turn, at even distances; more would decide nothing else."""


@dataclass(frozen=True)
class Fit:
    """The estimate under which images left out are most likely."""

    bandwidth: float
    uniform: float
    """As `centre_bias` takes it."""
    bits: float
    """Mean log-likelihood per fixation left out, in bits over a uniform density."""


def centre_bias(
    counts: Counts, height: int, width: int, *, bandwidth: float = 0.0217, uniform: float = 2e-13
) -> Tensor:
    """Log density `(height, width)` float64, in nats, whose exponentials sum to 1.

    `counts` are fixation counts per image, `(H, W)` each and of any sizes, or `(N, H, W)`; they are
    gone through once, so a generator will do. `uniform`, between 0 and 1, weighs the uniform
    density and 1 less it the blurred counts, of mass 1 per fixation, before all is divided by
    its sum. Without any fixation the density is uniform.
    Raises `ValueError` for a bandwidth or `uniform` out of range and for maps that hold no counts.
    """
    _check(height, width, bandwidth, uniform)
    grid = np.zeros((height, width))
    for points in as_points(counts):
        grid += points.counts(height, width)
    return log_density(grid, bandwidth, uniform)


def log_density(grid: Floats, bandwidth: float, uniform: float) -> Tensor:
    """The estimate from all fixations counted on one grid `(H, W)`, as `centre_bias` states it."""
    density = (1 - uniform) * blur(grid, bandwidth) + uniform / grid.size
    return torch.from_numpy(np.log(density / density.sum()))


def blur(grid: Floats, bandwidth: float) -> Floats:
    """Counts `(H, W)` under the Gaussian, mirrored at the borders, so that no mass leaves.

    Exactly 0 from four standard deviations on.
    """
    height, width = grid.shape
    blurred: Floats = gaussian_filter(grid, (bandwidth * height, bandwidth * width))
    return blurred


def uniform_for(weight: float, fixations: int) -> float:
    """What to give `centre_bias` as `uniform` for the uniform density to have this share."""
    odds = fixations * weight / (1 - weight)
    return odds / (1 + odds)


def fit(
    counts: Counts,
    *,
    bandwidths: Sequence[float] = BANDWIDTHS,
    weights: Sequence[float] = WEIGHTS,
) -> Fit:
    """The bandwidth and share of uniform under which each image is likeliest given all others.

    The first of the list where several are equally good; of more than `MOST_LEFT_OUT` images only
    so many are left out in turn. Raises `ValueError` if fewer than two images have fixations.
    """
    images = [points for points in as_points(counts) if points.total]
    if len(images) < 2:
        raise ValueError(f"{len(images)} images with fixations: leaving one out needs two")
    height, width = FIT_SIZE
    everything = np.zeros(FIT_SIZE)
    for points in images:
        everything += points.counts(height, width)
    left_out = images[:: math.ceil(len(images) / MOST_LEFT_OUT)]
    found = []
    for bandwidth in bandwidths:
        _check(height, width, bandwidth, 0.5)
        bits = _left_out_bits(left_out, everything, bandwidth, weights)
        found += [
            Fit(bandwidth, uniform_for(weight, int(everything.sum())), float(value))
            for weight, value in zip(weights, bits, strict=True)
        ]
    return max(found, key=lambda candidate: candidate.bits)


def _left_out_bits(
    left_out: Sequence[Points], everything: Floats, bandwidth: float, weights: Sequence[float]
) -> Floats:
    """Mean bits over uniform per fixation, each image from all others, for each weight."""
    height, width = everything.shape
    shares = np.asarray(weights, dtype=np.float64)
    total: Floats = np.zeros(len(shares))
    for points in left_out:
        # Taken away before blurring: whole numbers, where blurred ones would leave rounding.
        others = everything - points.counts(height, width)
        likely = blur(others, bandwidth).ravel()[points.pixels(height, width)] / others.sum()
        mixed = (1 - shares) * likely[:, None] * everything.size + shares
        total += points.repeats @ np.log2(mixed)
    mean: Floats = total / sum(points.total for points in left_out)
    return mean


def as_points(counts: Counts) -> Iterator[Points]:
    """Count maps of any kind as points."""
    for image in counts:
        yield image if isinstance(image, Points) else Points.from_counts(image)


def _check(height: int, width: int, bandwidth: float, uniform: float) -> None:
    if height < 1 or width < 1:
        raise ValueError(f"a density of {height}x{width} has no pixels")
    if not 0 < bandwidth <= 1:
        raise ValueError(f"bandwidth={bandwidth}: must be a fraction of the image's sides")
    if not 0 < uniform < 1:
        raise ValueError(f"uniform={uniform}: must lie between 0 and 1")
