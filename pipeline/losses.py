"""Distillation losses of FastSal, and the loss of salient objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

IOU_FORMS = ("image", "batch")
"""`image`: CII's Eq. 6 of each image; `batch`: sums over the whole batch, one added to both."""


def iou_loss(logits: Tensor, target: Tensor, form: str = "image") -> Tensor:
    """CII, Eq. 6: both (B, 1, H, W), the target in 0-1 -> (B,).

    As printed, images are apart, so that large objects do not outweigh small ones; with `batch`,
    the authors' code, every image has the value of all together.
    """
    shown, dims = logits.sigmoid(), (1, 2, 3)
    both = (shown * target).sum(dims)
    either = (shown + target).sum(dims) - both
    if form == "batch":
        return (1 - (both.sum() + 1) / (either.sum() + 1)).expand(len(both))
    return 1 - both / either


def hard_pixels(logits: Tensor, truth: Tensor, threshold: float, share: float, void: int) -> Tensor:
    """`truth` with the easy pixels void: online hard example mining (GALD, Sec. 4.1).

    `logits` (B, C, H, W), `truth` (B, H, W). A pixel stays if its class has a probability of at
    most `threshold`, or if it is among the hardest `share` of the batch's pixels.
    """
    with torch.no_grad():
        known = truth != void
        at = truth.masked_fill(~known, 0).unsqueeze(1)
        sure = logits.softmax(dim=1).gather(1, at).squeeze(1)
        found = sure[known]
        least = min(max(1, round(share * truth.numel())), found.numel())
        if not least:
            return truth
        bound = found.kthvalue(least).values.clamp_min(threshold)
        return truth.masked_fill(known & (sure > bound), void)


def hint_terms(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> list[Tensor]:
    """Eq. 1 layer by layer: mean squared error of each of the L layers, scalars.

    Both: L tensors (B, C_l, H_l, W_l). Raises `ValueError` where layers or shapes differ.
    """
    if len(student) != len(teacher):
        raise ValueError(f"{len(student)} student layers, but {len(teacher)} teacher layers")
    for layer, (s, t) in enumerate(zip(student, teacher, strict=True)):
        if s.shape != t.shape:
            raise ValueError(
                f"hint layer {layer}: student {tuple(s.shape)}, teacher {tuple(t.shape)}"
            )
    return [F.mse_loss(s.float(), t.float()) for s, t in zip(student, teacher, strict=True)]


def hint_loss(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """Eq. 1: the layers' mean squared errors, summed.

    >>> hint_loss([torch.ones(1, 2, 3, 3)], [torch.zeros(1, 2, 3, 3)])
    tensor(1.)
    """
    return torch.stack(hint_terms(student, teacher)).sum()


@dataclass(frozen=True)
class DensityWeights:
    """Weights of the three terms of Eq. 3."""

    kl: float
    cosine: float
    bce: float


DENSITY_WEIGHTS = {
    "paper": DensityWeights(1.0, 1.0, 1.0),
    "authors": DensityWeights(kl=0.5, cosine=0.2, bce=0.3),
}
"""Eq. 3 prints no weights; the authors' code has 0.5, 0.2 and 0.3."""


def as_density(labels: Tensor) -> Tensor:
    """Densities over pixels from stored labels, both (B, 1, H, W).

    Log densities (any value below 0) are exponentiated, fixation maps (0-1) taken as they are;
    either is clamped at 0, where an overshooting resize may have put it, and divided by its sum. A
    map without mass becomes uniform.
    """
    log = labels.flatten(1).amin(1).view(-1, 1, 1, 1) < 0
    peak = labels.flatten(1).amax(1).view(-1, 1, 1, 1)
    # Less its peak first: the densities of large maps are below what float16 holds.
    maps = torch.where(log, (labels - peak).clamp_max(0).exp(), labels).clamp_min(0)
    mass = maps.sum(dim=(2, 3), keepdim=True)
    uniform = 1 / (maps.shape[-2] * maps.shape[-1])
    return torch.where(mass > 0, maps / mass.clamp_min(1e-30), uniform)


def min_max(maps: Tensor) -> Tensor:
    """Each map (B, 1, H, W) scaled to 0-1; a constant one is 0."""
    flat = maps.flatten(1)
    low, high = (x.view(-1, 1, 1, 1) for x in flat.aminmax(dim=1))
    return (maps - low) / (high - low).clamp_min(1e-30)


def density_terms(logits: Tensor, density: Tensor) -> dict[str, Tensor]:
    """Eq. 3 term by term and image by image: `kl`, `cosine`, `bce`, each (B,).

    `logits` and `density` (B, 1, H, W). With p the softmax of the logits over all pixels and q the
    teacher's density: KL(q || p) in nats; 1 - cosine of p and q; mean cross-entropy of the sigmoid
    of the same logits with q scaled to 0-1.
    """
    flat, q = logits.float().flatten(1), density.flatten(1)
    log_p = flat.log_softmax(dim=1)
    kl = (torch.xlogy(q, q) - q * log_p).sum(dim=1)
    cosine = 1 - F.cosine_similarity(log_p.exp(), q, dim=1, eps=1e-12)
    scaled = min_max(density).flatten(1)
    bce = F.binary_cross_entropy_with_logits(flat, scaled, reduction="none").mean(dim=1)
    return {"kl": kl, "cosine": cosine, "bce": bce}


def density_loss(logits: Tensor, density: Tensor, weights: DensityWeights) -> Tensor:
    """Eq. 3 per image, (B,); see `density_terms`."""
    terms = density_terms(logits, density)
    return weights.kl * terms["kl"] + weights.cosine * terms["cosine"] + weights.bce * terms["bce"]
