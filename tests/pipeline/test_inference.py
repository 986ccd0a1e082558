"""Tiles, scales and mirror images against what they must be on models that a line writes down."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pipeline.config import Config, compose
from pipeline.config.check import check
from pipeline.config.schema import Inference
from pipeline.data.augment import PADDING
from pipeline.data.resize import resize_planes
from pipeline.errors import UserError
from pipeline.inference import (
    bilinear,
    mean_probability,
    mirrored,
    multi_scale,
    padded,
    predictor,
    scaled_size,
    sliding,
    starts,
    title,
)
from students.registry import ModelSpec

CPU = torch.device("cpu")
SPEC = ModelSpec("toy", "semantic", 8, 12, 4, (0, 0, 0), (1, 1, 1), "class-logits", source="a test")


def pointwise(images: Tensor) -> Tensor:
    """Three classes from every pixel alone."""
    red, green, blue = (images / 100 - 1).unbind(1)
    return torch.stack([red * green, green.sin(), blue - red], 1)


def photograph(height: int, width: int, seed: int = 0) -> Tensor:
    return 255 * torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def semantic() -> Config:
    return compose(["student=gald_r18", "inference.mode=slide", "inference.flip=true"])


class Seen:
    """A pointwise model that keeps the sizes it was shown."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, ...]] = []

    def __call__(self, images: Tensor) -> Tensor:
        self.sizes.append(tuple(images.shape[-2:]))
        return pointwise(images)


# Tiles


@settings(max_examples=200)
@given(st.integers(1, 64), st.integers(0, 200), st.floats(0, 0.95))
def test_tiles_cover_every_pixel(tile: int, more: int, overlap: float) -> None:
    side = tile + more
    found = starts(side, tile, overlap)
    assert found[0] == 0
    assert found[-1] == side - tile
    steps = np.diff(found)
    assert (steps > 0).all(), "no tile twice"
    assert (steps <= max(1, np.ceil(tile * (1 - overlap)))).all()


def test_tiles_of_the_papers() -> None:
    # GALD: 769 of 1024 x 2048, a third: strides of ceil(769 x 2/3) = 513.
    assert starts(1024, 769, 1 / 3) == [0, 255]
    assert starts(2048, 769, 1 / 3) == [0, 513, 1026, 1279]
    assert starts(769, 769, 1 / 3) == [0]
    assert starts(10, 4, 0.0) == [0, 4, 6]
    assert starts(16, 10, 0.7) == [0, 3, 6], "not 4: 1 - 0.7 is a little over 0.3"


@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 0.9), st.integers(0, 99))
def test_tiles_of_a_pointwise_model_are_the_plain_result(
    height: int, width: int, overlap: float, seed: int
) -> None:
    images = photograph(height, width, seed)
    assert torch.equal(sliding(pointwise, (7, 9), overlap)(images), pointwise(images))


def test_overlaps_weigh_every_tile_alike() -> None:
    count = iter(range(1, 100))

    def numbered(images: Tensor) -> Tensor:
        return torch.full_like(images, float(next(count)))

    found = sliding(numbered, (2, 4), 0.5)(torch.zeros(1, 3, 2, 7))[0, 0]
    # Tiles 1, 2 and 3 begin at 0, 2 and 3; all three see column 3.
    row = [1.0, 1.0, 1.5, 2.0, 2.5, 2.5, 3.0]
    assert found.tolist() == pytest.approx(np.array([row, row]))


def test_an_image_smaller_than_a_tile_lies_in_its_corner() -> None:
    seen: list[Tensor] = []

    def model(images: Tensor) -> Tensor:
        seen.append(images)
        return pointwise(images)

    images = photograph(5, 20)
    found = sliding(model, (8, 12), 1 / 3)(images)
    assert torch.equal(found, pointwise(images))
    assert [tuple(each.shape) for each in seen] == [(1, 3, 8, 12)] * 2
    assert torch.equal(seen[0][..., :5, :], images[..., :12])
    around = torch.tensor(PADDING, dtype=torch.float32).view(3, 1, 1)
    assert torch.equal(seen[1][0, :, 5:, :], around.expand(3, 3, 12))
    assert padded(images, 5, 20) is images


# Scales


def test_scales_come_to_sizes_that_the_model_takes() -> None:
    seen = Seen()
    images = photograph(16, 24)
    found = multi_scale(seen, [0.5, 1.0, 1.75], 8)(images)
    assert seen.sizes == [(8, 16), (16, 24), (32, 40)]  # 12 is as near to 8 as to 16; 28 x 42
    assert found.shape == (1, 3, 16, 24)
    assert torch.allclose(found.exp().sum(1), torch.ones(1, 16, 24))
    assert scaled_size((16, 24), 0.1, 8) == (8, 8)
    assert scaled_size((160, 160), 0.5, 8, least=120) == (120, 120)


def test_probabilities_are_averaged_over_scales() -> None:
    def by_size(images: Tensor) -> Tensor:  # sure of class 0 in 8 x 8, of class 1 in 16 x 16
        logits = torch.zeros(1, 2, *images.shape[-2:])
        logits[:, images.shape[-1] // 16] = 2.0
        return logits

    found = multi_scale(by_size, [1.0, 2.0], 8)(torch.zeros(1, 3, 8, 8))
    assert torch.allclose(found.exp(), torch.full_like(found, 0.5))
    three = multi_scale(by_size, [1.0, 1.0, 2.0], 8)(torch.zeros(1, 3, 8, 8)).exp()
    sure = float(torch.tensor([2.0, 0.0]).softmax(0)[0])
    assert three[0, 0, 3, 3].item() == pytest.approx((2 * sure + 1 - sure) / 3)


def test_the_mean_of_one_view_is_that_view() -> None:
    view = torch.randn(1, 4, 3, 3)
    assert torch.allclose(mean_probability([view]), view.log_softmax(1))
    far = mean_probability([torch.tensor([[0.0, -200.0]]), torch.tensor([[0.0, -200.0]])])
    assert torch.isfinite(far).all()


def test_images_are_resized_as_triangle_does() -> None:
    image = photograph(40, 30)
    for size in ((16, 18), (64, 45)):
        named = resize_planes(image[0].permute(1, 2, 0).numpy(), *size)
        assert np.abs(bilinear(image, size, smooth=True)[0].numpy() - named).max() < 1e-2


# Mirror images


def test_flip_of_an_equivariant_model_changes_nothing() -> None:
    images = photograph(8, 12)
    plain = pointwise(images).log_softmax(1)
    assert torch.allclose(mirrored(pointwise)(images), plain, atol=1e-6)


def test_flip_is_mirrored_back() -> None:
    def left(images: Tensor) -> Tensor:  # class 1 in the left half, whatever it is shown
        logits = torch.zeros(1, 2, *images.shape[-2:])
        logits[:, 1, :, : images.shape[-1] // 2] = 3.0
        return logits

    found = mirrored(left)(photograph(4, 8)).exp()
    one = float(torch.tensor([0.0, 3.0]).softmax(0)[1])
    assert torch.allclose(found[:, 1], torch.full((1, 4, 8), (one + 0.5) / 2))


# All together


def test_predictor_of_nothing_more_gives_the_models_own_numbers() -> None:
    image = photograph(16, 24)[0]
    found = predictor(pointwise, SPEC, Inference(), CPU)(image)
    assert np.array_equal(found, pointwise(image[None])[0].numpy())


def test_predictor_of_everything() -> None:
    seen = Seen()
    asked = Inference(mode="slide", overlap=0.5, scales=[1.0, 2.0], flip=True)
    found = predictor(seen, SPEC, asked, CPU)(photograph(8, 24)[0])
    assert found.shape == (3, 8, 24)
    assert found.dtype == np.float32
    # 8 x 24: three tiles; 16 x 48: three rows of seven; all of them mirrored, too.
    assert seen.sizes == [(8, 12)] * 2 * (3 + 3 * 7)


def test_titles() -> None:
    assert title(Inference()) == ""
    assert title(Inference(overlap=0.5)) == "", "tiles alone overlap"
    assert title(Inference(mode="slide", scales=[0.75, 1.0], flip=True)) == "slide 2 scales flip"
    assert title(Inference(size=[512, 1024], scales=[0.5])) == "512x1024 scale 0.5"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Inference(mode="slid"), "did you mean 'slide'?"),
        (Inference(size=[8]), "inference.size is [8]; give height and width, or []"),
        (Inference(overlap=1.0), "inference.overlap is 1.0"),
        (Inference(scales=[]), "inference.scales is empty"),
        (Inference(scales=[1.0, 0.0]), "inference.scales is 0.0"),
    ],
)
def test_mistakes_are_named(semantic: Config, asked: Inference, message: str) -> None:
    with pytest.raises(UserError) as error:
        check(dataclasses.replace(semantic, inference=asked))
    assert message in str(error.value)


def test_semantic_students_alone(semantic: Config) -> None:
    assert semantic.inference.mode == "slide"
    saliency = compose(["inference.overlap=0.5"])  # of nothing
    with pytest.raises(UserError, match="fastsal_a is of the task saliency"):
        check(dataclasses.replace(saliency, inference=Inference(flip=True)))
