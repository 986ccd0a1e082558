"""Arithmetic, comparisons and functions of one element."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mobile.backends.coreml.interpreter.registry import Given, operator

_ONE: dict[str, Callable[[Tensor], Tensor]] = {
    "abs": torch.abs, "acos": torch.acos, "asin": torch.asin, "atan": torch.atan,
    "atanh": torch.atanh, "ceil": torch.ceil, "cos": torch.cos, "cosh": torch.cosh,
    "erf": torch.erf, "exp": torch.exp, "exp2": torch.exp2, "floor": torch.floor,
    "identity": torch.clone, "logical_not": torch.logical_not, "round": torch.round,
    "sign": torch.sign, "sin": torch.sin, "sinh": torch.sinh, "sqrt": torch.sqrt,
    "square": torch.square, "tan": torch.tan, "tanh": torch.tanh,
}  # fmt: skip
_TWO: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "pow": torch.pow,
    "real_div": torch.true_divide, "floor_div": torch.floor_divide, "mod": torch.remainder,
    "maximum": torch.maximum, "minimum": torch.minimum,
    "equal": torch.eq, "not_equal": torch.ne, "greater": torch.gt, "greater_equal": torch.ge,
    "less": torch.lt, "less_equal": torch.le, "logical_and": torch.logical_and,
    "logical_or": torch.logical_or, "logical_xor": torch.logical_xor,
}  # fmt: skip


def _unary(function: Callable[[Tensor], Tensor]) -> Callable[[Given], Tensor]:
    return lambda given: function(given.tensor("x"))


def _binary(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Given], Tensor]:
    return lambda given: function(given.tensor("x"), given.tensor("y"))


for _name, _single in _ONE.items():
    operator(_name)(_unary(_single))
for _name, _double in _TWO.items():
    operator(_name)(_binary(_double))


@operator("clip")
def clip(given: Given) -> Tensor:
    """Between `alpha` and `beta`."""
    return given.tensor("x").clamp(given.number("alpha", 0), given.number("beta", 1))


@operator("inverse")
def inverse(given: Given) -> Tensor:
    """1 / (x + ε)."""
    return 1 / (given.tensor("x") + given.number("epsilon", 1e-4))


@operator("log")
def log(given: Given) -> Tensor:
    """ln(x + ε)."""
    return (given.tensor("x") + given.number("epsilon", 1e-45)).log()


@operator("rsqrt")
def rsqrt(given: Given) -> Tensor:
    """1 / √(x + ε)."""
    return (given.tensor("x") + given.number("epsilon", 1e-12)).rsqrt()


@operator("threshold")
def threshold(given: Given) -> Tensor:
    """max(x, α)."""
    return given.tensor("x").clamp(min=given.number("alpha", 0))


@operator("cast")
def cast(given: Given) -> Tensor:
    """To the type of the result, which whoever called rounds to; towards zero for integers."""
    x = given.tensor("x")
    return x if given.text("dtype", "") != "bool" else x != 0


@operator("select")
def select(given: Given) -> Tensor:
    """`a` where `cond` holds, `b` elsewhere."""
    return torch.where(given.tensor("cond").bool(), given.tensor("a"), given.tensor("b"))
