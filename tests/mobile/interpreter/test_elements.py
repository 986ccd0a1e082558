"""Elementwise operators, activations and reductions: beside coremltools' own numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from mobile.backends.coreml.interpreter import operators, registry
from tests.mobile.interpreter.programs import RANDOM, close, folded, normal, run, seeds

pytestmark = pytest.mark.filterwarnings("ignore")

POSITIVE = ("sqrt", "rsqrt", "log", "inverse")
UNIT = ("acos", "asin", "atanh")
ONE = (
    "abs", "acos", "asin", "atan", "atanh", "ceil", "cos", "cosh", "erf", "exp", "exp2", "floor",
    "inverse", "log", "round", "rsqrt", "sign", "sin", "sinh", "sqrt", "square", "tan", "tanh",
    "relu", "relu6", "sigmoid", "softplus", "softsign",
)  # fmt: skip
TWO = (
    "add", "sub", "mul", "real_div", "floor_div", "mod", "pow", "maximum", "minimum",
    "equal", "not_equal", "greater", "greater_equal", "less", "less_equal",
)  # fmt: skip
REDUCTIONS = (
    "reduce_mean", "reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "reduce_l1_norm",
    "reduce_l2_norm", "reduce_sum_square", "reduce_log_sum", "reduce_log_sum_exp",
)  # fmt: skip


def call(name: str, **more: Any) -> Callable[..., Any]:
    """An operator of the builder, with constant arguments."""
    from coremltools.converters.mil import Builder

    return lambda **variables: getattr(Builder, name)(**variables, **more)


def both(name: str, more: dict[str, Any], **arrays: np.ndarray) -> None:
    """The interpreter and coremltools' numpy give the same."""
    build = call(name, **more)
    for got, wanted in zip(run(build, **arrays), folded(build, **arrays), strict=True):
        close(got, wanted)


def in_domain(name: str, x: np.ndarray) -> np.ndarray:
    if name in POSITIVE:
        return np.abs(x) + 0.1
    return np.tanh(x) * 0.9 if name in UNIT else x


@pytest.mark.parametrize("name", ONE)
def test_functions_of_one_number(name: str) -> None:
    both(name, {}, x=in_domain(name, normal(3, 2, 3, 5)))


@pytest.mark.parametrize("name", TWO)
@RANDOM
@given(seed=seeds, shape=st.sampled_from([(2, 3, 4), (1, 4), (3, 1), ()]))
def test_functions_of_two_numbers_are_broadcast(name: str, seed: int, shape: Any) -> None:
    x, y = normal(seed, 2, 3, 4), np.asarray(normal(seed + 1, *shape), np.float32)
    x = np.abs(x) if name == "pow" else x
    y = np.where(np.abs(y) < 0.1, np.float32(1), y)
    y = y if shape else y.reshape(1)  # an input has an axis
    both(name, {}, x=x, y=y)


def test_integers_and_truth_values_stay_what_they_are() -> None:
    from coremltools.converters.mil import Builder

    x, y = np.array([7, -7, 8], np.int32), np.array([2, 2, -3], np.int32)
    for name, wanted in (("floor_div", [3, -4, -3]), ("mod", [1, 1, -1]), ("mul", [14, -14, -24])):
        (got,) = run(lambda x, y, name=name: getattr(Builder, name)(x=x, y=y), x=x, y=y)
        assert got.dtype == np.int32
        assert got.tolist() == wanted
    (got,) = run(
        lambda x, y: Builder.logical_xor(x=Builder.greater(x=x, y=0), y=Builder.less(x=y, y=0)),
        x=x,
        y=y,
    )
    assert got.tolist() == [True, False, False]
    (got,) = run(lambda x: Builder.cast(x=x, dtype="int32"), x=np.array([2.7, -2.7], np.float32))
    assert got.tolist() == [2, -2]


@pytest.mark.parametrize("name", REDUCTIONS)
@RANDOM
@given(
    seed=seeds,
    axes=st.one_of(st.none(), st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True)),
    keep=st.booleans(),
)
def test_reductions(name: str, seed: int, axes: Any, keep: bool) -> None:
    x = np.abs(normal(seed, 2, 3, 2, 2)) + 0.1
    chosen = {} if axes is None else {"axes": axes}
    both(name, {**chosen, "keep_dims": keep}, x=x)


def test_extremes_sums_and_orders() -> None:
    x = normal(5, 3, 4, 5)
    for axis in (-1, 0, 1):
        both("reduce_argmax", {"axis": axis}, x=x)
        both("reduce_argmin", {"axis": axis, "keep_dims": True}, x=x)
        both("topk", {"axis": axis, "k": 2}, x=x)
        both("topk", {"axis": axis, "k": 3, "ascending": True}, x=x)
        both("argsort", {"axis": axis}, x=x)
    both("cumsum", {"axis": 1}, x=x)
    (got,) = run(call_x("cumsum", axis=1, exclusive=True, reverse=True), x=x)
    close(got, np.flip(np.flip(x, 1).cumsum(1), 1) - x)


def call_x(name: str, **more: Any) -> Callable[[Any], Any]:
    """An operator of one variable `x`."""
    build = call(name, **more)
    return lambda x: build(x=x)


FORMULAS: dict[str, tuple[dict[str, Any], Callable[[torch.Tensor], torch.Tensor]]] = {
    "silu": ({}, F.silu),
    "gelu": ({"mode": "EXACT"}, F.gelu),
    "gelu, tanh": ({"mode": "TANH_APPROXIMATION"}, lambda x: F.gelu(x, approximate="tanh")),
    "gelu, sigmoid": ({"mode": "SIGMOID_APPROXIMATION"}, lambda x: x * (1.702 * x).sigmoid()),
    "clip": ({"alpha": -0.5, "beta": 0.7}, lambda x: x.clamp(-0.5, 0.7)),
    "threshold": ({"alpha": 0.2}, lambda x: x.clamp(min=0.2)),
    "leaky_relu": ({"alpha": 0.1}, lambda x: F.leaky_relu(x, 0.1)),
    "clamped_relu": ({"alpha": 0.1, "beta": 0.5}, lambda x: F.leaky_relu(x, 0.1).clamp(max=0.5)),
    "thresholded_relu": ({"alpha": 0.4}, lambda x: F.threshold(x, 0.4, 0)),
    "elu": ({"alpha": 0.8}, lambda x: F.elu(x, 0.8)),
    "sigmoid_hard": ({"alpha": 0.3, "beta": 0.4}, lambda x: (0.3 * x + 0.4).clamp(0, 1)),
    "scaled_tanh": ({"alpha": 1.2, "beta": 0.6}, lambda x: 1.2 * (0.6 * x).tanh()),
    "linear_activation": ({"alpha": 1.2, "beta": 0.6}, lambda x: 1.2 * x + 0.6),
    "softmax": ({"axis": 1}, lambda x: x.softmax(1)),
    "prelu": (
        {"alpha": np.array([0.1, 0.2, 0.3], np.float32)},
        lambda x: F.prelu(x, torch.tensor([0.1, 0.2, 0.3])),
    ),
    "softplus_parametric": (
        {"alpha": np.full(3, 0.5, np.float32), "beta": np.full(3, 2, np.float32)},
        lambda x: 0.5 * F.softplus(2 * x, threshold=100),
    ),
}


@pytest.mark.parametrize("which", FORMULAS)
def test_activations_are_torchs(which: str) -> None:
    more, formula = FORMULAS[which]
    x = normal(7, 2, 3, 4, 5)
    (got,) = run(call_x(which.partition(",")[0], **more), x=x)
    close(got, formula(torch.from_numpy(x)))


@pytest.mark.parametrize("name", ["add", "mul", "real_div"])
@RANDOM
@given(seeds)
def test_fp16_arithmetic_rounds_every_result_once(name: str, seed: int) -> None:
    from coremltools.converters.mil import Builder

    x, y = (normal(seed + i, 50).astype(np.float16) for i in range(2))
    (got,) = run(lambda x, y: getattr(Builder, name)(x=x, y=y), "iOS16", "fp16", x=x, y=y)
    exact = {"add": np.add, "mul": np.multiply, "real_div": np.divide}[name]
    # float32 holds such sums and products exactly, or nearly enough to round alike.
    wanted = exact(x.astype(np.float32), y.astype(np.float32)).astype(np.float16)
    np.testing.assert_array_equal(got, wanted.astype(np.float32))
    (plain,) = run(lambda x, y: getattr(Builder, name)(x=x, y=y), "iOS16", "fp32", x=x, y=y)
    assert not np.array_equal(plain, got)


def test_fp16_arithmetic_overflows_as_fp16_does() -> None:
    from coremltools.converters.mil import Builder

    x = np.array([300, -300, 200], np.float16)
    (got,) = run(lambda x: Builder.mul(x=x, y=x), "iOS16", "fp16", x=x)
    assert got.tolist() == [np.inf, np.inf, 40000]
    (got,) = run(lambda x: Builder.mul(x=x, y=x), "iOS16", "fp32", x=x)
    assert got.tolist() == [90000, 90000, 40000]


def test_every_operator_has_one_function_and_a_second_is_refused() -> None:
    operators.load()
    assert len(registry.names()) > 100
    with pytest.raises(ValueError, match="registered twice"):
        registry.operator("conv")(lambda given: given)
