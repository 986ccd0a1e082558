"""Both published discriminators, at any input size they were built for."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from teachers.salgan_discriminator import VARIANTS, Discriminator

GENERATOR_PARAMETERS = 31_787_009


def convolution_parameters(model: Discriminator) -> int:
    """Weights and biases as used; the gains of weight normalisation are not counted."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    return sum(
        layer.weight.numel() + layer.bias.numel() for layer in layers if layer.bias is not None
    )


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_convolutions_complete_the_count_of_table_iii(variant: str) -> None:
    count = convolution_parameters(Discriminator(variant))
    assert count == 130_191
    assert round((GENERATOR_PARAMETERS + count) / 1e6, 2) == 31.92


@pytest.mark.parametrize(("variant", "inputs"), [("official", 12 * 16 * 64), ("leaky", 49_152)])
def test_published_head(variant: str, inputs: int) -> None:
    head = Discriminator(variant).head
    sizes = [(m.in_features, m.out_features) for m in head if isinstance(m, nn.Linear)]
    assert sizes == [(inputs, 100), (100, 2), (2, 1)]


def test_only_the_official_last_group_is_weight_normalised() -> None:
    names = [n for n, _ in Discriminator("official").named_parameters() if "original0" in n]
    assert len(names) == 2
    assert not [n for n, _ in Discriminator("leaky").named_parameters() if "original0" in n]


@pytest.mark.parametrize("variant", sorted(VARIANTS))
@pytest.mark.parametrize(("height", "width"), [(192, 256), (48, 64), (60, 83)])
def test_any_size_it_was_built_for(variant: str, height: int, width: int) -> None:
    model = Discriminator(variant, height=height, width=width)
    images, maps = torch.rand(2, 3, height, width) * 255, torch.rand(2, 1, height, width)
    assert model(images, maps).shape == (2, 1)


def test_image_scale_one_feeds_raw_pixels() -> None:
    torch.manual_seed(0)
    scaled = Discriminator(height=48, width=64)
    raw = Discriminator(height=48, width=64, image_scale=1.0)
    raw.load_state_dict(scaled.state_dict())
    images, maps = torch.rand(2, 3, 48, 64) * 255, torch.rand(2, 1, 48, 64)
    torch.testing.assert_close(scaled(images, maps), raw(images / 255, maps))


def test_another_size_is_refused() -> None:
    model = Discriminator(height=48, width=64)
    with pytest.raises(ValueError, match=r"built for images \(B, 3, 48, 64\)"):
        model(torch.zeros(1, 3, 64, 64), torch.zeros(1, 1, 64, 64))
    with pytest.raises(ValueError, match=r"built for maps \(B, 1, 48, 64\)"):
        model(torch.zeros(1, 3, 48, 64), torch.zeros(1, 1, 24, 32))


def test_wrong_builds_are_named() -> None:
    with pytest.raises(ValueError, match="choose one of official, leaky"):
        Discriminator("wasserstein")
    with pytest.raises(ValueError, match="8x64 are too small"):
        Discriminator(height=8, width=64)
