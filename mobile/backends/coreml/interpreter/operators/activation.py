"""Activations."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mobile.backends.coreml.interpreter.registry import Given, UnsupportedError, operator


@operator("relu")
def relu(given: Given) -> Tensor:
    """max(x, 0)."""
    return F.relu(given.tensor("x"))


@operator("relu6")
def relu6(given: Given) -> Tensor:
    """min(max(x, 0), 6)."""
    return F.relu6(given.tensor("x"))


@operator("clamped_relu")
def clamped_relu(given: Given) -> Tensor:
    """min(β, leaky ReLU of slope α)."""
    return F.leaky_relu(given.tensor("x"), given.number("alpha", 0)).clamp(
        max=given.number("beta", 0)
    )


@operator("leaky_relu")
def leaky_relu(given: Given) -> Tensor:
    """x, or αx below zero."""
    return F.leaky_relu(given.tensor("x"), given.number("alpha", 0.01))


@operator("prelu")
def prelu(given: Given) -> Tensor:
    """x, or αx below zero with an α per channel."""
    return F.prelu(given.tensor("x"), given.tensor("alpha"))


@operator("thresholded_relu")
def thresholded_relu(given: Given) -> Tensor:
    """X where it reaches α, 0 elsewhere."""
    x = given.tensor("x")
    return torch.where(x >= given.number("alpha", 1), x, torch.zeros_like(x))


@operator("elu")
def elu(given: Given) -> Tensor:
    """x, or α(eˣ - 1) below zero."""
    return F.elu(given.tensor("x"), given.number("alpha", 1))


@operator("gelu")
def gelu(given: Given) -> Tensor:
    """By the error function, or one of its two approximations."""
    x, mode = given.tensor("x"), given.text("mode", "EXACT")
    if mode == "SIGMOID_APPROXIMATION":
        return x * (1.702 * x).sigmoid()
    if mode not in ("EXACT", "TANH_APPROXIMATION"):
        raise UnsupportedError(f"mode {mode}")
    return F.gelu(x, approximate="none" if mode == "EXACT" else "tanh")


@operator("sigmoid")
def sigmoid(given: Given) -> Tensor:
    """1 / (1 + e⁻ˣ)."""
    return given.tensor("x").sigmoid()


@operator("sigmoid_hard")
def sigmoid_hard(given: Given) -> Tensor:
    """αx + β between 0 and 1."""
    return (given.number("alpha", 0.2) * given.tensor("x") + given.number("beta", 0.5)).clamp(0, 1)


@operator("silu")
def silu(given: Given) -> Tensor:
    """X · sigmoid(x)."""
    return F.silu(given.tensor("x"))


@operator("scaled_tanh")
def scaled_tanh(given: Given) -> Tensor:
    """α tanh(βx)."""
    return given.number("alpha", 1) * (given.number("beta", 1) * given.tensor("x")).tanh()


@operator("linear_activation")
def linear_activation(given: Given) -> Tensor:
    """αx + β."""
    return given.number("alpha", 1) * given.tensor("x") + given.number("beta", 0)


@operator("softmax")
def softmax(given: Given) -> Tensor:
    """Over one axis."""
    return given.tensor("x").softmax(given.whole("axis", -1))


@operator("softplus")
def softplus(given: Given) -> Tensor:
    """ln(1 + eˣ)."""
    x = given.tensor("x")
    return torch.logaddexp(x, torch.zeros_like(x))


@operator("softplus_parametric")
def softplus_parametric(given: Given) -> Tensor:
    """α ln(1 + e^βx), both per channel."""
    x = given.tensor("x")
    alpha, beta = (given.tensor(n).reshape(-1, *[1] * (x.dim() - 2)) for n in ("alpha", "beta"))
    return alpha * torch.logaddexp(beta * x, torch.zeros_like(x))


@operator("softsign")
def softsign(given: Given) -> Tensor:
    """X / (1 + |x|)."""
    return F.softsign(given.tensor("x"))
