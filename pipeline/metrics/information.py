"""What a prediction tells of the fixations, in bits: likelihoods and information gain.

Kümmerer, Wallis and Bethge, PNAS 2015. Undefined (NaN) where there is no fixation.
"""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor

from pipeline.metrics.prepare import (
    Fixations,
    Map,
    Scene,
    as_scores,
    fixated_of,
    maps_of,
    require_same_shape,
    scenes,
)

MIT_EPSILON = 2.2204e-16
"""Regularises quotients and logarithms, with the digits the MIT benchmark's code has."""


def log_likelihood(log_density: Tensor, counts: Tensor, fixations: Fixations = "repeats") -> Tensor:
    """Mean log density at the fixations, in nats; both `(B, H, W)` → `(B,)` float64.

    `log_density` may be -inf where a pixel is impossible; one fixation there scores -inf.
    """
    pairs = zip(fixated_of(log_density, counts, fixations), log_density.flatten(1), strict=True)
    return as_scores([fixated.mean(fixated.of(row)) for fixated, row in pairs], log_density)


def information_gain(
    log_density: Tensor, counts: Tensor, baseline: Tensor, fixations: Fixations = "repeats"
) -> Tensor:
    """Log-likelihood over that of `baseline`, in bits per fixation.

    Both are log densities `(B, H, W)` in nats → `(B,)`: pysaliency's `information_gain`.
    """
    require_same_shape(log_density, baseline, "baseline")
    own = log_likelihood(log_density, counts, fixations)
    return (own - log_likelihood(baseline, counts, fixations)) / math.log(2)


def information_gain_mit(
    pred: Tensor, counts: Tensor, baseline: Tensor, fixations: Fixations = "unique"
) -> Tensor:
    """Information gain as the MIT benchmark's code has it, of maps rather than densities.

    Prediction and baseline map, `(B, H, W)` of any scale, are stretched to start at 0, divided by
    their sums and given `MIT_EPSILON` within the logarithm; a constant map is uniform. That code
    reads `counts` as a mask.
    """
    require_same_shape(pred, baseline, "baseline")
    images = scenes(pred, counts, fixations)
    known = maps_of(baseline, "baseline")
    pairs = zip(images, known, strict=True)
    return as_scores([_stretched(s, s.map) - _stretched(s, other) for s, other in pairs], pred)


def information_gain_of_map(
    pred: Tensor, counts: Tensor, baseline: Tensor, fixations: Fixations = "repeats"
) -> Tensor:
    """Information gain of maps read as densities, as KLDiv reads them, over log densities.

    Prediction and `baseline` `(B, H, W)` → `(B,)`. Either density counts as `MIT_EPSILON` where it
    is less: a single fixation on a pixel that a map calls impossible costs 52 bits at most.
    """
    require_same_shape(pred, baseline, "baseline")
    images = zip(scenes(pred, counts, fixations), baseline.flatten(1), strict=True)
    return as_scores([gain_of_map(scene, row) for scene, row in images], pred)


def gain_of_map(scene: Scene, baseline: Tensor) -> float:
    """`information_gain_of_map` of one image, `baseline` flattened `(H*W,)`."""
    weights = 1.0 if scene.map.massless else scene.at.astype(np.float64) + scene.map.lift
    density = np.broadcast_to(weights / scene.map.mass, scene.at.shape)
    known = np.maximum(scene.fixated.of(baseline), math.log(MIT_EPSILON))
    gain = np.log(np.maximum(density, MIT_EPSILON)) - known
    return scene.fixated.mean(gain) / math.log(2)


def _stretched(scene: Scene, shown: Map) -> float:
    """Mean log density at the fixations, in bits, of a map stretched to start at 0."""
    values = scene.fixated.of(shown.values)
    mass = shown.total - len(shown.values) * shown.low
    density = np.full_like(values, 1 / len(shown.values))
    if not shown.constant:
        density = (values - shown.low) / mass
    return scene.fixated.mean(np.log2(density + MIT_EPSILON))
