"""SalGAN's two training phases as pieces: content loss, alternating steps, published optimisers.

Pan et al. 2017: the generator first learns binary cross entropy alone, then generator and
discriminator take turns, batch by batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import SGD, Adagrad, Optimizer

from pipeline.errors import UserError

PAPER_ALPHA = 0.005
"""Weight of the content loss in the paper and in the PyTorch re-training."""
CODE_ALPHA = 1 / 20
"""The same weight in the authors' released code."""

Turn = Literal["generator", "discriminator"]
Recipe = Literal["paper", "retraining"]


@dataclass(frozen=True)
class AdversarialSettings:
    """What the adversarial phase is made of.

    Raises `UserError` when a value can only be a mistake.
    """

    alpha: float = PAPER_ALPHA
    """Weight of the content loss next to the adversarial one; `CODE_ALPHA` is the other choice."""
    downsample: int = 4
    """Side of the average pooling both maps go through before the content loss; 1 for none."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.alpha) and self.alpha >= 0):
            raise UserError(f"adversarial alpha is {self.alpha}; give a weight of 0 or more")
        if self.downsample < 1:
            raise UserError(f"adversarial downsample is {self.downsample}; give 1, 2, 4, …")


def content_loss(logits: Tensor, truth: Tensor, *, downsample: int = 4) -> Tensor:
    """Mean binary cross entropy of the average-pooled maps, a scalar.

    Both maps are pooled as probabilities, over squares of `downsample` pixels. The logarithm of
    the pooled prediction is taken from the logits themselves, so saturated maps keep a gradient.

    Args:
        logits: `(B, 1, H, W)`, before the sigmoid.
        truth: `(B, 1, H, W)`, 0-1.
        downsample: a divisor of both sides; 4 is the paper's quarter resolution.

    Raises:
        ValueError: shapes that differ or sides that `downsample` does not divide.
    """
    if logits.shape != truth.shape or logits.ndim != 4 or logits.shape[1] != 1:
        raise ValueError(
            f"content loss takes two maps (B, 1, H, W), not {tuple(logits.shape)} "
            f"and {tuple(truth.shape)}"
        )
    if downsample == 1:
        return F.binary_cross_entropy_with_logits(logits, truth)
    height, width = logits.shape[2:]
    if height % downsample or width % downsample:
        raise ValueError(f"downsample {downsample} does not divide maps of {height}x{width}")
    cells = F.pixel_unshuffle(logits, downsample)
    share = math.log(downsample * downsample)
    log_salient = F.logsigmoid(cells).logsumexp(dim=1, keepdim=True) - share
    log_other = F.logsigmoid(-cells).logsumexp(dim=1, keepdim=True) - share
    target = F.avg_pool2d(truth, downsample)
    return -(target * log_salient + (1 - target) * log_other).mean()


class AdversarialSteps:
    """Alternating updates of generator and discriminator.

    Even batches train the discriminator, odd ones the generator, as the authors count them. The
    batch index alone decides, so counting on after a resume continues the same sequence.

    Args:
        generator: images `(B, 3, H, W)` 0-255 to logits `(B, 1, H, W)`.
        discriminator: images and maps `(B, 1, H, W)` 0-1 to logits `(B, 1)`.
        generator_optimizer, discriminator_optimizer: over the parameters each may change.
        settings: weights of the losses.
        average: makes the gradients of some parameters means over several processes.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        generator_optimizer: Optimizer,
        discriminator_optimizer: Optimizer,
        settings: AdversarialSettings | None = None,
        average: Callable[[Iterable[nn.Parameter]], None] | None = None,
    ) -> None:
        self.generator = generator
        self.discriminator = discriminator
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.settings = settings or AdversarialSettings()
        self.average = average

    @staticmethod
    def turn(batch_index: int) -> Turn:
        """Whose optimiser steps on this batch, counted from 0 over the whole phase."""
        return "generator" if batch_index % 2 else "discriminator"

    def step(self, batch_index: int, images: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """Train one net on one batch: images `(B, 3, H, W)` 0-255, truth `(B, 1, H, W)` 0-1.

        Returns detached scalars: `loss` of the net that stepped, then `real` and `fake` on the
        discriminator's turn or `adversarial` and `content` on the generator's.
        """
        if self.turn(batch_index) == "discriminator":
            terms = self._discriminator_terms(images, truth)
            optimizer = self.discriminator_optimizer
        else:
            terms = self._generator_terms(images, truth)
            optimizer = self.generator_optimizer
        # The generator's loss also leaves gradients in the discriminator: clear both.
        self.generator_optimizer.zero_grad(set_to_none=True)
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()  # type: ignore[no-untyped-call]
        if self.average is not None:
            self.average(p for group in optimizer.param_groups for p in group["params"])
        optimizer.step()
        return {name: value.detach() for name, value in terms.items()}

    def state_dict(self) -> dict[str, Any]:
        """Both nets and both optimisers: all that an exact resume needs besides the batch index."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave. Raises `ValueError` when a part is missing."""
        parts = self._parts()
        if missing := [name for name in parts if name not in state]:
            raise ValueError(f"adversarial training state lacks {', '.join(missing)}")
        for name, part in parts.items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, nn.Module | Optimizer]:
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
        }

    def _discriminator_terms(self, images: Tensor, truth: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            drawn = torch.sigmoid(self.generator(images))
        real = _cross_entropy(self.discriminator(images, truth), 1.0)
        fake = _cross_entropy(self.discriminator(images, drawn), 0.0)
        return {"loss": (real + fake) / 2, "real": real, "fake": fake}

    def _generator_terms(self, images: Tensor, truth: Tensor) -> dict[str, Tensor]:
        logits = self.generator(images)
        judged = self.discriminator(images, torch.sigmoid(logits))
        adversarial = _cross_entropy(judged, 1.0)
        content = content_loss(logits, truth, downsample=self.settings.downsample)
        loss = adversarial + self.settings.alpha * content
        return {"loss": loss, "adversarial": adversarial, "content": content}


def content_optimizer(parameters: Iterable[nn.Parameter]) -> Optimizer:
    """Build the optimiser of the paper's first phase: Nesterov SGD, lr 1e-3, momentum 0.5.

    Meant for a VGG16 encoder with ImageNet weights, its first three blocks left out.
    """
    return SGD(parameters, lr=1e-3, momentum=0.5, nesterov=True)


def adversarial_optimizers(
    generator: Iterable[nn.Parameter],
    discriminator: Iterable[nn.Parameter],
    recipe: Recipe = "paper",
) -> tuple[Optimizer, Optimizer]:
    """Build the generator's and the discriminator's optimiser for the second phase.

    `paper`: Adagrad 3e-4. `retraining`: the PyTorch teacher of FastSal, SGD 3e-4 with momentum 0.9
    for the generator (meant for its decoder alone), none for the discriminator, weight decay 1e-5.
    """
    if recipe == "paper":
        return Adagrad(generator, lr=3e-4), Adagrad(discriminator, lr=3e-4)
    if recipe == "retraining":
        return (
            SGD(generator, lr=3e-4, momentum=0.9, weight_decay=1e-5),
            SGD(discriminator, lr=3e-4, weight_decay=1e-5),
        )
    raise UserError(f"no adversarial recipe is called {recipe!r}; choose paper or retraining")


def _cross_entropy(judged: Tensor, label: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(judged, torch.full_like(judged, label))
