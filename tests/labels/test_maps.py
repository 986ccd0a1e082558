"""What is stored of a teacher's output, at the student's size."""

from __future__ import annotations

import torch

from pipeline.labels.maps import fixation_map, log_density


def test_a_fixation_map_is_the_sigmoid_at_its_own_size() -> None:
    logits = torch.randn(2, 1, 4, 6)
    assert torch.equal(fixation_map(logits, (4, 6)), torch.sigmoid(logits))


def test_a_log_density_stays_one_at_any_size() -> None:
    torch.manual_seed(0)
    output = (10 * torch.randn(2, 1, 6, 8)).flatten(1).log_softmax(1).view(2, 1, 6, 8)
    torch.testing.assert_close(log_density(output, (6, 8)), output.clamp_min(-60))
    for size in ((12, 16), (3, 4), (7, 5)):
        found = log_density(output, size)
        assert found.shape == (2, 1, *size)
        assert found.isfinite().all()
        torch.testing.assert_close(found.exp().sum((1, 2, 3)), torch.ones(2))


def test_halving_adds_up_densities_not_their_logarithms() -> None:
    density = torch.tensor([[0.5, 0.1], [0.3, 0.1]])
    wide = density.repeat_interleave(2, 0).repeat_interleave(2, 1) / 4
    found = log_density(wide.log().view(1, 1, 4, 4), (2, 2)).exp()[0, 0]
    # Antialiased bilinear: half of an output pixel's weight lies on each side's neighbours.
    weights = torch.tensor([[3.0, 3.0, 1.0, 0.0], [0.0, 1.0, 3.0, 3.0]]) / 7
    expected = weights @ wide @ weights.T
    torch.testing.assert_close(found, expected / expected.sum(), rtol=1e-5, atol=1e-6)
