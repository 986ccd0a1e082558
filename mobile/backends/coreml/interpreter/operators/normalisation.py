"""Normalisations."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mobile.backends.coreml.interpreter.registry import Given, operator


def _channels(held: Tensor | None, rank: int) -> Tensor | None:
    """A value per channel, shaped to be broadcast to (B, C, …)."""
    return None if held is None else held.reshape(-1, *[1] * (rank - 2))


def _scaled(x: Tensor, gamma: Tensor | None, beta: Tensor | None) -> Tensor:
    x = x if gamma is None else x * gamma
    return x if beta is None else x + beta


@operator("batch_norm")
def batch_norm(given: Given) -> Tensor:
    """By stored statistics."""
    return F.batch_norm(
        given.tensor("x"), given.tensor("mean"), given.tensor("variance"),
        given.optional("gamma"), given.optional("beta"), False, 0.0,
        given.number("epsilon", 1e-5),
    )  # fmt: skip


@operator("instance_norm")
def instance_norm(given: Given) -> Tensor:
    """By each channel's own mean and variance over space."""
    x = given.tensor("x")
    axes = list(range(2, x.dim()))
    variance, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
    even = (x - mean) / (variance + given.number("epsilon", 1e-5)).sqrt()
    gamma, beta = (_channels(given.optional(name), x.dim()) for name in ("gamma", "beta"))
    return _scaled(even, gamma, beta)


@operator("layer_norm")
def layer_norm(given: Given) -> Tensor:
    """By mean and variance over any axes; scales have those axes' shape."""
    x = given.tensor("x")
    axes = [axis % x.dim() for axis in given.wholes("axes", range(x.dim()))]
    variance, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
    even = (x - mean) / (variance + given.number("epsilon", 1e-5)).sqrt()
    shape = [side if axis in axes else 1 for axis, side in enumerate(x.shape)]
    gamma, beta = (
        None if (held := given.optional(name)) is None else held.reshape(shape)
        for name in ("gamma", "beta")
    )
    return _scaled(even, gamma, beta)


@operator("l2_norm")
def l2_norm(given: Given) -> Tensor:
    """Divided by the length of the last three axes."""
    x = given.tensor("x")
    squares = x.square().sum((-3, -2, -1), keepdim=True)
    return x / (squares + given.number("epsilon", 1e-6)).sqrt()


@operator("local_response_norm")
def local_response_norm(given: Given) -> Tensor:
    """By the squares of neighbouring channels."""
    return F.local_response_norm(
        given.tensor("x"), given.whole("size", 1), given.number("alpha", 1e-4),
        given.number("beta", 0.75), given.number("k", 1.0),
    )  # fmt: skip
