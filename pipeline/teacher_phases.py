"""How teachers are trained, phase by phase; a teacher with a phase of its own registers it here."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn, optim

from pipeline import likelihood as fixations
from pipeline.adversarial import AdversarialSettings, AdversarialSteps, content_loss
from pipeline.config.schema import Schedule, TeacherPhase
from pipeline.engine.loop import Batch, Trainable
from pipeline.engine.optim import rate, set_rate, with_base_rates
from pipeline.engine.runtime import Runtime
from pipeline.engine.state import Weights
from pipeline.engine.supervised import Supervised, to_device
from pipeline.errors import UserError
from teachers.deepgaze2 import DeepGaze2
from teachers.salgan_discriminator import Discriminator

Build = Callable[[nn.Module, TeacherPhase, int, Runtime], Trainable]
"""Teacher, settings, steps per epoch and runtime -> what the loop drives."""

_PHASES: dict[str, Build] = {}
_SELECT: dict[str, str] = {}


def phase(name: str, select: str = "CC") -> Callable[[Build], Build]:
    """Register the decorated builder as the teacher phase `name`.

    `select` is the validation result that decides which epoch is best.
    """

    def add(build: Build) -> Build:
        _PHASES[name], _SELECT[name] = build, select
        return build

    return add


def names() -> list[str]:
    """Every teacher phase."""
    return sorted(_PHASES)


def selected_by(name: str) -> str:
    """The validation result that decides which epoch of a phase is best."""
    return _SELECT[name]


def build(
    name: str, teacher: nn.Module, settings: TeacherPhase, steps: int, how: Runtime
) -> Trainable:
    """The trainable of one phase. Raises `KeyError` for an unknown one."""
    return _PHASES[name](teacher, settings, steps, how)


def optimiser(module: nn.Module, settings: TeacherPhase) -> optim.Optimizer:
    """The optimiser a teacher phase names, over all of `module`."""
    parameters, lr = [p for p in module.parameters() if p.requires_grad], settings.lr
    made: optim.Optimizer
    if settings.optimiser == "adam":
        made = optim.Adam(parameters, lr=lr)
    elif settings.optimiser == "adagrad":
        made = optim.Adagrad(parameters, lr=lr)
    elif settings.optimiser == "nesterov":
        made = optim.SGD(parameters, lr=lr, momentum=0.5, nesterov=True)
    else:
        made = optim.SGD(parameters, lr=lr, momentum=0.9)
    return with_base_rates(made)


@phase("bce")
def bce(teacher: nn.Module, settings: TeacherPhase, _steps: int, how: Runtime) -> Trainable:
    """SalGAN's first phase: cross-entropy of 4x4-pooled maps (SalGAN, Sec. 3.1)."""

    def objective(batch: Batch) -> dict[str, torch.Tensor]:
        return {"loss": content_loss(teacher(batch["images"]).float(), batch["truth"])}

    # From scratch (Adam) a warm-up and a fall to zero; the published SGD keeps its rate.
    schedule = Schedule(kind="cosine", warmup=0.5) if settings.optimiser == "adam" else Schedule()
    return Supervised(
        teacher,
        [],
        objective,
        optimiser(teacher, settings),
        rate(schedule, settings.epochs),
        how.device,
        how.precision,
        group=how.group,
        compile_objective=how.compile_objective,
    )


# A likelihood goes on rising where the correlation with a blurred map has long stopped.
@phase("likelihood", select="LL")
def likelihood(teacher: nn.Module, settings: TeacherPhase, _steps: int, how: Runtime) -> Trainable:
    """DeepGaze's only phase: the readouts of all folds at once, by the likelihood of fixations."""
    if not isinstance(teacher, DeepGaze2):
        raise UserError("the likelihood phase trains log densities, such as those of deepgaze2")
    kind = "steps" if settings.milestones else "cosine"
    schedule = Schedule(kind=kind, milestones=settings.milestones)
    return Supervised(
        teacher,
        [],
        fixations.likelihood_objective(teacher),
        optimiser(teacher, settings),
        rate(schedule, settings.epochs),
        how.device,
        how.precision,
        group=how.group,
        compile_objective=how.compile_objective,
    )


@phase("adversarial")
class Adversarial:
    """SalGAN's second phase: generator and discriminator take turns (SalGAN, Sec. 3.2)."""

    def __init__(
        self, teacher: nn.Module, settings: TeacherPhase, steps: int, how: Runtime
    ) -> None:
        self.teacher = teacher.to(how.device)
        self.device = how.device
        self.group = how.group
        self.steps_per_epoch = steps
        critic = Discriminator().to(how.device)
        self.group.align([self.teacher, critic])
        self.optimisers = (optimiser(self.teacher, settings), optimiser(critic, settings))
        self.rate = rate(Schedule(), settings.epochs)
        self.pieces = AdversarialSteps(
            self.teacher,
            critic,
            *self.optimisers,
            AdversarialSettings(alpha=settings.alpha),
            self.group.average_gradients,
        )

    def step(self, batch: Batch, progress: float) -> dict[str, float]:
        """One turn of either network; see `engine.loop.Trainable`."""
        self.teacher.train()
        self.group.part_ways()
        lr = max(set_rate(each, self.rate(progress)) for each in self.optimisers)
        index = round(progress * self.steps_per_epoch)
        here = to_device(batch, self.device)
        terms = self.pieces.step(index, here["images"], here["truth"])
        shown = self.group.means(terms)
        for name, value in shown.items():
            if not math.isfinite(value):
                raise FloatingPointError(f"{name} is {value}")
        return {"lr": lr} | shown

    def weights(self) -> Weights:
        """The generator's state dict on the CPU."""
        state = self.teacher.state_dict()
        return {name: value.detach().cpu().clone() for name, value in state.items()}

    def load_weights(self, weights: Weights) -> None:
        """Put `weights` back into the generator."""
        self.teacher.load_state_dict(weights)

    def state_dict(self) -> dict[str, Any]:
        """Both networks and both optimisers."""
        return self.pieces.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Both networks and both optimisers as saved."""
        self.pieces.load_state_dict(state)
