"""The two phases of SalGAN's training: content loss, taking turns, exact resume."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.adversarial import (
    CODE_ALPHA,
    PAPER_ALPHA,
    AdversarialSettings,
    AdversarialSteps,
    Recipe,
    adversarial_optimizers,
    content_loss,
    content_optimizer,
)
from pipeline.errors import UserError
from teachers.salgan import SalGAN
from teachers.salgan_discriminator import Discriminator

SIZE = (32, 48)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums in a fixed order, so that equal steps are equal to the last bit."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def batch(seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (2, 3, *SIZE), generator=generator).float()
    truth = F.interpolate(torch.rand(2, 1, 4, 6, generator=generator), SIZE, mode="bilinear")
    return images, truth


def steps(seed: int, recipe: Recipe = "paper", alpha: float = PAPER_ALPHA) -> AdversarialSteps:
    torch.manual_seed(seed)
    generator = SalGAN(0.05, normalisation="imagenet")
    discriminator = Discriminator(height=SIZE[0], width=SIZE[1])
    optimizers = adversarial_optimizers(generator.parameters(), discriminator.parameters(), recipe)
    settings = AdversarialSettings(alpha=alpha)
    return AdversarialSteps(generator, discriminator, *optimizers, settings)


def snapshot(module: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in module.parameters()]


def changed(module: nn.Module, before: list[Tensor]) -> bool:
    return any(not torch.equal(p, b) for p, b in zip(module.parameters(), before, strict=True))


@pytest.mark.parametrize("downsample", [1, 2, 4])
def test_content_loss_is_bce_of_pooled_maps(downsample: int) -> None:
    torch.manual_seed(0)
    logits, truth = (
        torch.randn(2, 1, 8, 12, dtype=torch.double) * 3,
        torch.rand(2, 1, 8, 12).double(),
    )
    prediction = F.avg_pool2d(logits.sigmoid(), downsample)
    expected = F.binary_cross_entropy(prediction, F.avg_pool2d(truth, downsample))
    torch.testing.assert_close(content_loss(logits, truth, downsample=downsample), expected)


def test_content_loss_pools_by_four_unless_told() -> None:
    logits, truth = torch.randn(1, 1, 8, 8), torch.rand(1, 1, 8, 8)
    assert content_loss(logits, truth) == content_loss(logits, truth, downsample=4)
    assert content_loss(logits, truth) != content_loss(logits, truth, downsample=1)


def test_content_loss_gradient() -> None:
    torch.manual_seed(0)
    logits = torch.randn(1, 1, 4, 4, dtype=torch.double, requires_grad=True)
    truth = torch.rand(1, 1, 4, 4, dtype=torch.double)
    assert torch.autograd.gradcheck(lambda x: content_loss(x, truth, downsample=2), logits)


def test_content_loss_of_saturated_maps_is_finite_and_still_teaches() -> None:
    """BCE of a pooled sigmoid would be clamped here and its gradient lost."""
    logits = torch.full((1, 1, 8, 8), -300.0, requires_grad=True)
    loss = content_loss(logits, torch.ones(1, 1, 8, 8))
    assert loss.item() == pytest.approx(300.0)
    loss.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad.sum().item() == pytest.approx(-1.0, rel=1e-4)


def test_content_loss_refuses_maps_that_do_not_match() -> None:
    with pytest.raises(ValueError, match=r"not \(1, 1, 8, 8\) and \(1, 1, 4, 4\)"):
        content_loss(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 4, 4))
    with pytest.raises(ValueError, match="downsample 3 does not divide maps of 8x8"):
        content_loss(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8), downsample=3)


def test_the_nets_take_turns() -> None:
    training = steps(0)
    images, truth = batch()
    for index in range(4):
        generator, discriminator = snapshot(training.generator), snapshot(training.discriminator)
        terms = training.step(index, images, truth)
        own = training.turn(index) == "generator"
        assert own == bool(index % 2)
        assert changed(training.generator, generator) == own
        assert changed(training.discriminator, discriminator) != own
        names = {"adversarial", "content"} if own else {"real", "fake"}
        assert set(terms) == {"loss"} | names
        assert not any(value.requires_grad for value in terms.values())


def test_gradients_of_one_turn_do_not_leak_into_the_next() -> None:
    """The generator's loss reaches the discriminator too; its next step must not see that."""
    through, fresh = steps(0), steps(0)
    images, truth = batch()
    through.step(1, images, truth)
    fresh.generator.load_state_dict(through.generator.state_dict())
    through.step(2, images, truth)
    fresh.step(2, images, truth)
    for one, other in zip(
        snapshot(through.discriminator), snapshot(fresh.discriminator), strict=True
    ):
        assert torch.equal(one, other)


def test_discriminator_loss_is_the_mean_over_both_kinds_of_map() -> None:
    training = steps(0)
    images, truth = batch()
    with torch.no_grad():
        real = training.discriminator(images, truth)
        fake = training.discriminator(images, training.generator(images).sigmoid())
        expected = F.binary_cross_entropy_with_logits(
            torch.cat([real, fake]), torch.cat([torch.ones(2, 1), torch.zeros(2, 1)])
        )
    torch.testing.assert_close(training.step(0, images, truth)["loss"], expected)


@pytest.mark.parametrize("alpha", [PAPER_ALPHA, CODE_ALPHA])
def test_generator_loss_weighs_the_content(alpha: float) -> None:
    training = steps(0, alpha=alpha)
    images, truth = batch()
    with torch.no_grad():
        logits = training.generator(images)
        judged = training.discriminator(images, logits.sigmoid()).sigmoid()
        expected = -judged.log().mean() + alpha * content_loss(logits, truth)
    torch.testing.assert_close(training.step(1, images, truth)["loss"], expected)


def test_named_alphas_are_the_published_ones() -> None:
    assert AdversarialSettings().alpha == PAPER_ALPHA == 0.005
    assert CODE_ALPHA == 0.05
    assert AdversarialSettings().downsample == 4


def test_both_losses_fall_when_each_learns_alone() -> None:
    images, truth = batch()
    for parity in (0, 1):
        training = steps(0, alpha=CODE_ALPHA)
        losses = [float(training.step(2 * i + parity, images, truth)["loss"]) for i in range(12)]
        assert losses[-1] < losses[0]


def test_content_falls_in_the_alternating_phase() -> None:
    training = steps(0, alpha=1.0)
    images, truth = batch()
    content = [float(training.step(i, images, truth).get("content", math.nan)) for i in range(24)]
    assert content[23] < content[1]


@pytest.mark.parametrize("recipe", ["paper", "retraining"])
def test_resume_is_exact(recipe: Recipe) -> None:
    """Saved and read back without pickled code, the losses that follow are equal bit for bit."""
    straight = steps(0, recipe)
    for index in range(3):
        straight.step(index, *batch(index))
    buffer = io.BytesIO()
    torch.save(straight.state_dict(), buffer)
    expected = [straight.step(index, *batch(index)) for index in range(3, 7)]

    resumed = steps(1, recipe)
    buffer.seek(0)
    resumed.load_state_dict(torch.load(buffer, weights_only=True))
    found = [resumed.step(index, *batch(index)) for index in range(3, 7)]

    assert found == expected
    for one, other in zip(snapshot(straight.generator), snapshot(resumed.generator), strict=True):
        assert torch.equal(one, other)


def test_a_state_that_lacks_a_part_is_refused() -> None:
    state = steps(0).state_dict()
    del state["discriminator_optimizer"]
    with pytest.raises(ValueError, match="lacks discriminator_optimizer"):
        steps(1).load_state_dict(state)


def test_published_optimizers() -> None:
    weights = [nn.Parameter(torch.zeros(1))]
    first = content_optimizer(weights).param_groups[0]
    assert (first["lr"], first["momentum"], first["nesterov"]) == (1e-3, 0.5, True)
    assert [o.param_groups[0]["lr"] for o in adversarial_optimizers(weights, weights)] == [3e-4] * 2
    again = adversarial_optimizers(weights, weights, "retraining")
    assert [o.param_groups[0]["momentum"] for o in again] == [0.9, 0]
    assert [o.param_groups[0]["weight_decay"] for o in again] == [1e-5, 1e-5]


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"alpha": -1.0}, "alpha is -1.0"), ({"alpha": math.nan}, "nan"), ({"downsample": 0}, "is 0")],
)
def test_impossible_settings_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(UserError, match=message):
        AdversarialSettings(**settings)  # type: ignore[arg-type]


def test_an_unknown_recipe_is_refused() -> None:
    weights = [nn.Parameter(torch.zeros(1))]
    with pytest.raises(UserError, match="choose paper or retraining"):
        adversarial_optimizers(weights, weights, "adam")  # type: ignore[arg-type]
