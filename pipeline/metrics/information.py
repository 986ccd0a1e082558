"""What a prediction tells of the fixations, in bits: likelihoods and information gain.

Kümmerer, Wallis and Bethge, PNAS 2015. Undefined (NaN) where there is no fixation.
"""

from __future__ import annotations

import math

from torch import Tensor

from pipeline.metrics.prepare import Fixated, Fixations, Flat, require_same_shape

MIT_EPSILON = 2.2204e-16
"""Regularises quotients and logarithms, with the digits the MIT benchmark's code has."""


def log_likelihood(log_density: Tensor, counts: Tensor, fixations: Fixations = "repeats") -> Tensor:
    """Mean log density at the fixations, in nats; both `(B, H, W)` → `(B,)` float64.

    `log_density` may be -inf where a pixel is impossible; one fixation there scores -inf.
    """
    return mean_at(Fixated.from_counts(log_density, counts, fixations), log_density.flatten(1))


def information_gain(
    log_density: Tensor, counts: Tensor, baseline: Tensor, fixations: Fixations = "repeats"
) -> Tensor:
    """Log-likelihood over that of `baseline`, in bits per fixation.

    Both are log densities `(B, H, W)` in nats → `(B,)`: pysaliency's `information_gain`.
    """
    require_same_shape(log_density, baseline, "baseline")
    fixated = Fixated.from_counts(log_density, counts, fixations)
    gain = mean_at(fixated, log_density.flatten(1)) - mean_at(fixated, baseline.flatten(1))
    return gain / math.log(2)


def information_gain_mit(
    pred: Tensor, counts: Tensor, baseline: Tensor, fixations: Fixations = "unique"
) -> Tensor:
    """Information gain as the MIT benchmark's code has it, of maps rather than densities.

    Prediction and baseline map, `(B, H, W)` of any scale, are stretched to start at 0, divided by
    their sums and given `MIT_EPSILON` within the logarithm; a constant map is uniform. That code
    reads `counts` as a mask.
    """
    require_same_shape(pred, baseline, "baseline")
    fixated = Fixated.from_counts(pred, counts, fixations)
    bits = [
        mean_at(fixated, (_stretched(Flat.from_maps(maps, name)) + MIT_EPSILON).log2_())
        for maps, name in ((pred, "prediction"), (baseline, "baseline"))
    ]
    return bits[0] - bits[1]


def information_gain_of_map(
    pred: Tensor, counts: Tensor, baseline: Tensor, fixations: Fixations = "repeats"
) -> Tensor:
    """Information gain of maps read as densities, as KLDiv reads them, over log densities.

    Prediction and `baseline` `(B, H, W)` → `(B,)`. Either density counts as `MIT_EPSILON` where it
    is less: a single fixation on a pixel that a map calls impossible costs 52 bits, not everything.
    """
    require_same_shape(pred, baseline, "baseline")
    fixated = Fixated.from_counts(pred, counts, fixations)
    return gain_of_map(Flat.from_maps(pred, "prediction"), fixated, baseline)


def gain_of_map(flat: Flat, fixated: Fixated, baseline: Tensor) -> Tensor:
    """`information_gain_of_map` of what has been prepared."""
    weights = flat.weights[fixated.image, fixated.pixel] / flat.mass[fixated.image, 0]
    log_density = weights.clamp_min_(MIT_EPSILON).log_()
    known = baseline.flatten(1)[fixated.image, fixated.pixel].double()
    known = known.clamp_min(math.log(MIT_EPSILON))
    return _mean(fixated, log_density - known) / math.log(2)


def mean_at(fixated: Fixated, values: Tensor) -> Tensor:
    """Mean over the fixations of each image of what flattened maps `(B, H*W)` hold there."""
    return _mean(fixated, values[fixated.image, fixated.pixel].double())


def _mean(fixated: Fixated, values: Tensor) -> Tensor:
    sums = values.new_zeros(fixated.images).index_add_(
        0, fixated.image, values * fixated.repeats.double()
    )
    return sums / fixated.totals


def _stretched(flat: Flat) -> Tensor:
    shifted = flat.values - flat.low
    shifted += flat.constant[:, None].double()
    return shifted.div_(shifted.sum(dim=1, keepdim=True))
