"""Sums, means and extremes over axes; running sums."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mobile.backends.coreml.interpreter.registry import Given, operator

Reduce = Callable[[Tensor, list[int], bool], Tensor]


def _product(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    for axis in sorted((axis % x.dim() for axis in axes), reverse=True):
        x = x.prod(axis, keepdim=keep)
    return x


_REDUCTIONS: dict[str, Reduce] = {
    "reduce_mean": lambda x, axes, keep: x.float().mean(axes, keepdim=keep),
    "reduce_sum": lambda x, axes, keep: x.sum(axes, keepdim=keep),
    "reduce_max": lambda x, axes, keep: x.amax(axes, keepdim=keep),
    "reduce_min": lambda x, axes, keep: x.amin(axes, keepdim=keep),
    "reduce_prod": _product,
    "reduce_l1_norm": lambda x, axes, keep: x.abs().sum(axes, keepdim=keep),
    "reduce_l2_norm": lambda x, axes, keep: x.square().sum(axes, keepdim=keep).sqrt(),
    "reduce_sum_square": lambda x, axes, keep: x.square().sum(axes, keepdim=keep),
    "reduce_log_sum": lambda x, axes, keep: x.sum(axes, keepdim=keep).log(),
    "reduce_log_sum_exp": lambda x, axes, keep: x.logsumexp(axes, keepdim=keep),
}


def _reduction(function: Reduce) -> Callable[[Given], Tensor]:
    def over_axes(given: Given) -> Tensor:
        x = given.tensor("x")
        axes = given.wholes("axes", range(x.dim()))
        return function(x, axes, given.flag("keep_dims", False))

    return over_axes


for _name, _function in _REDUCTIONS.items():
    operator(_name)(_reduction(_function))


@operator("reduce_argmax")
def argmax(given: Given) -> Tensor:
    """Where the largest value lies."""
    return given.tensor("x").argmax(given.whole("axis", -1), given.flag("keep_dims", False))


@operator("reduce_argmin")
def argmin(given: Given) -> Tensor:
    """Where the smallest value lies."""
    return given.tensor("x").argmin(given.whole("axis", -1), given.flag("keep_dims", False))


@operator("cumsum")
def cumsum(given: Given) -> Tensor:
    """Sums so far; without the element itself if `exclusive`, from the end if `reverse`."""
    x, axis = given.tensor("x"), given.whole("axis", 0)
    backwards = given.flag("reverse", False)
    x = x.flip(axis) if backwards else x
    sums = x.cumsum(axis)
    sums = sums - x if given.flag("exclusive", False) else sums
    return sums.flip(axis) if backwards else sums


@operator("topk")
def topk(given: Given) -> tuple[Tensor, ...]:
    """The k largest values (smallest if `ascending`) and where they lie."""
    x, axis = given.tensor("x"), given.whole("axis", -1)
    falling = not given.flag("ascending", False)
    order = torch.argsort(x, stable=True, dim=axis, descending=falling)
    chosen = order.narrow(axis, 0, given.whole("k", 1))
    values = x.gather(axis, chosen)
    return (values, chosen) if given.flag("return_indices", True) else (values,)


@operator("argsort")
def argsort(given: Given) -> Tensor:
    """Positions in order, the largest first unless `ascending`."""
    falling = not given.flag("ascending", False)
    axis = given.whole("axis", -1)
    return torch.argsort(given.tensor("x"), stable=True, dim=axis, descending=falling)
