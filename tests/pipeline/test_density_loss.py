"""Eq. 3 against loops over pixels, and labels of either form as its targets."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pipeline.distil import SaliencyTerms, saliency_objective
from pipeline.losses import (
    DENSITY_WEIGHTS,
    DensityWeights,
    as_density,
    density_loss,
    density_terms,
    min_max,
)
from tests.pipeline.test_distil import Fixed


def slow_terms(logits: list[float], q: list[float]) -> dict[str, float]:
    total = sum(math.exp(v) for v in logits)
    p = [math.exp(v) / total for v in logits]
    kl = sum(b * math.log(b / a) for a, b in zip(p, q) if b > 0)
    norms = math.sqrt(sum(a * a for a in p) * sum(b * b for b in q))
    cosine = 1 - sum(a * b for a, b in zip(p, q)) / norms
    low, high = min(q), max(q)
    scaled = [(b - low) / (high - low) for b in q]
    s = [1 / (1 + math.exp(-v)) for v in logits]
    each = [-(t * math.log(a) + (1 - t) * math.log(1 - a)) for a, t in zip(s, scaled)]
    return {"kl": kl, "cosine": cosine, "bce": sum(each) / len(each)}


def made_up() -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    density = torch.rand(3, 1, 4, 5)
    density[1, 0, 0, 0] = 0  # a pixel nobody looks at
    return torch.randn(3, 1, 4, 5), density / density.sum(dim=(2, 3), keepdim=True)


def test_eq_3_term_by_term() -> None:
    logits, density = made_up()
    found = density_terms(logits, density)
    for i in range(3):
        expected = slow_terms(logits[i].flatten().tolist(), density[i].flatten().tolist())
        for name, value in expected.items():
            assert found[name][i].item() == pytest.approx(value, rel=1e-4), name


def test_the_papers_weights_are_equal_and_the_authors_are_named() -> None:
    assert DENSITY_WEIGHTS["paper"] == DensityWeights(1, 1, 1)
    assert DENSITY_WEIGHTS["authors"] == DensityWeights(kl=0.5, cosine=0.2, bce=0.3)
    logits, density = made_up()
    terms = density_terms(logits, density)
    expected = 0.5 * terms["kl"] + 0.2 * terms["cosine"] + 0.3 * terms["bce"]
    torch.testing.assert_close(density_loss(logits, density, DENSITY_WEIGHTS["authors"]), expected)


def test_the_loss_is_least_at_the_teachers_own_density() -> None:
    _, density = made_up()
    own = density_terms(density.log().clamp_min(-30), density)
    assert own["kl"].abs().max() < 1e-4
    assert own["cosine"].abs().max() < 1e-4


def test_kl_does_not_change_with_a_constant_on_top_of_the_logits() -> None:
    logits, density = made_up()
    moved = density_terms(logits + 7, density)
    torch.testing.assert_close(moved["kl"], density_terms(logits, density)["kl"], rtol=1e-4, atol=0)


@given(st.integers(0, 1000), st.booleans())
@settings(max_examples=20)
def test_any_label_becomes_a_density(seed: int, log: bool) -> None:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.rand(2, 1, 4, 5, generator=generator)
    if log:
        labels = (labels * 20 - 40).half().float()  # float16, and far below what exp holds in it
    density = as_density(labels)
    assert density.min() >= 0
    torch.testing.assert_close(density.sum((1, 2, 3)), torch.ones(2))
    expected = labels.double().exp() if log else labels.double()
    expected = expected / expected.sum(dim=(2, 3), keepdim=True)
    torch.testing.assert_close(density.double(), expected, rtol=1e-4, atol=1e-9)


def test_overshooting_and_empty_labels() -> None:
    blank = torch.zeros(1, 1, 2, 2)
    torch.testing.assert_close(as_density(blank), torch.full((1, 1, 2, 2), 0.25))
    assert torch.equal(min_max(blank), blank)


@pytest.mark.parametrize("labels_loss", ["bce", "density"])
@pytest.mark.parametrize("log", [True, False])
def test_either_loss_learns_from_either_form_of_label(labels_loss: str, log: bool) -> None:
    logits, density = made_up()
    maps = density / density.amax(dim=(2, 3), keepdim=True)
    labels = density.clamp_min(1e-12).log() if log else maps
    batch = {"images": torch.zeros(3, 3, 4, 5), "labels": labels}
    terms = SaliencyTerms(1.0, 0.0, labels_loss)
    found = saliency_objective(Fixed(logits), terms)(batch)["teacher"].item()
    if labels_loss == "density":
        expected = density_loss(logits, density, DENSITY_WEIGHTS["paper"]).mean().item()
    else:
        target = min_max(density) if log else maps
        expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, target).item()
    assert found == pytest.approx(expected, rel=1e-4)
