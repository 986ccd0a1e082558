"""Parameter groups, FastSal's or by depth, and the learning-rate schedules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from torch import nn, optim

from pipeline.config.schema import Optimiser, Schedule
from pipeline.errors import UserError

Rate = Callable[[float], float]
"""Fractional epoch -> factor on every group's base learning rate."""
Layers = tuple[str | tuple[str, ...], ...]
"""Attribute `layers` of a model: from its input upwards, the module, or modules, of each layer by
their names. A parameter belongs to the layer with the longest name that its own begins with."""


def parameter_groups(modules: Iterable[nn.Module], settings: Optimiser) -> list[dict[str, Any]]:
    """Four groups: backbone weights and biases, other weights and biases (feiyanhu/FastSal).

    Backbone weights learn at `backbone_lr` x lr, other biases at `bias_lr` x lr; biases never
    decay. Batch-norm scales count as weights, as they do there.
    """
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for module in modules:
        for name, parameter in module.named_parameters():
            if parameter.requires_grad:
                key = (name.startswith("backbone."), name.endswith("bias"))
                groups.setdefault(key, []).append(parameter)
    factors = {
        (True, False): settings.backbone_lr,
        (True, True): 1.0,
        (False, False): 1.0,
        (False, True): settings.bias_lr,
    }
    return [
        {
            "params": parameters,
            "lr": settings.lr * factors[key],
            "weight_decay": 0.0 if key[1] else settings.weight_decay,
        }
        for key, parameters in sorted(groups.items())
    ]


def layered_groups(
    modules: Iterable[nn.Module], settings: Optimiser, decay: float
) -> list[dict[str, Any]]:
    """Groups by layer, the topmost first, matrices and vectors apart (CEDNet's public code).

    A layer learns at lr x decay ** (number of layers - its index), what is in no layer at lr, as
    do modules without any. Vectors (biases, norms, layer scales) never decay. Raises `UserError`
    if none of `modules` has layers.
    """
    groups: dict[tuple[int, bool], list[nn.Parameter]] = {}
    known = False
    for module in modules:
        layers = layers_of(module)
        known = known or bool(layers)
        for name, parameter in module.named_parameters():
            if parameter.requires_grad:
                below = len(layers) - depth(name, layers)
                groups.setdefault((below, parameter.ndim < 2), []).append(parameter)
    if not known:
        raise UserError(
            f"optimiser.layer_decay is {decay}, but this student does not say which of its layers "
            "lies how deep; set optimiser.layer_decay=null, where backbone_lr counts, or take a "
            "student that does, such as cednet_n, gald_r18 or cii_r18"
        )
    return [
        {
            "params": parameters,
            "lr": settings.lr * decay**below,
            "weight_decay": 0.0 if vector else settings.weight_decay,
        }
        for (below, vector), parameters in sorted(groups.items())
    ]


def layers_of(module: nn.Module) -> Layers:
    """Its `layers`, or none; networks that call a part of theirs so have none, either."""
    found = getattr(module, "layers", ())
    return found if isinstance(found, tuple) else ()


def depth(name: str, layers: Layers) -> int:
    """Index of the layer that the parameter called `name` belongs to, or their number."""
    found = [
        (len(prefix), index)
        for index, layer in enumerate(layers)
        for prefix in ((layer,) if isinstance(layer, str) else layer)
        if name.startswith(f"{prefix}.")
    ]
    return max(found)[1] if found else len(layers)


def build_optimiser(modules: Iterable[nn.Module], settings: Optimiser) -> optim.Optimizer:
    """The optimiser over the parameter groups; each group remembers its base rate."""
    if settings.layer_decay is None:
        groups = parameter_groups(modules, settings)
    else:
        groups = layered_groups(modules, settings, settings.layer_decay)
    optimiser: optim.Optimizer
    if settings.kind == "sgd":
        optimiser = optim.SGD(groups, lr=settings.lr, momentum=settings.momentum)
    else:
        optimiser = optim.AdamW(groups, lr=settings.lr)
    return with_base_rates(optimiser)


def with_base_rates(optimiser: optim.Optimizer) -> optim.Optimizer:
    """Let every group remember its rate, which schedules multiply."""
    for group in optimiser.param_groups:
        group["base_lr"] = group["lr"]
    return optimiser


def rate(settings: Schedule, epochs: int) -> Rate:
    """The schedule as a pure function of the fractional epoch."""

    def steps(epoch: float) -> float:
        # A milestone is the 0-based epoch at whose end the rate drops.
        passed = sum(epoch >= milestone + 1 for milestone in settings.milestones)
        return float(settings.gamma**passed)

    def cosine(epoch: float) -> float:
        return 0.5 * (1 + math.cos(math.pi * min(1.0, epoch / epochs)))

    def poly(epoch: float) -> float:
        return float((1 - min(1.0, epoch / epochs)) ** settings.power)

    shape = {"steps": steps, "cosine": cosine, "poly": poly}[settings.kind]

    def factor(epoch: float) -> float:
        warm = min(1.0, (epoch + 1e-3) / settings.warmup) if settings.warmup > 0 else 1.0
        return warm * shape(epoch)

    return factor


def set_rate(optimiser: optim.Optimizer, factor: float) -> float:
    """Set every group to `factor` times its base rate; returns the largest rate."""
    for group in optimiser.param_groups:
        group["lr"] = group["base_lr"] * factor
    return max(float(group["lr"]) for group in optimiser.param_groups)
