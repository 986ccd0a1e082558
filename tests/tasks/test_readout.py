"""Sigmoid and softmax read-out of the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.errors import UserError
from pipeline.tasks.readout import density, output_of, probability, translated

outputs = arrays(np.float32, (3, 4), elements=st.floats(-12, 12, width=32))


@given(outputs)
def test_sigmoid_is_per_pixel_and_softmax_over_all(output: np.ndarray) -> None:
    sigmoid = [[1 / (1 + np.exp(-float(v))) for v in row] for row in output]
    np.testing.assert_allclose(probability(output, "logits"), sigmoid, rtol=1e-5)
    softmax = np.exp(output.astype(float)) / np.exp(output.astype(float)).sum()
    np.testing.assert_allclose(density(output, "log-density"), softmax, rtol=1e-4)
    assert probability(output, "log-density").max() == 1


@given(outputs)
def test_a_constant_on_top_of_a_log_density_is_nothing(output: np.ndarray) -> None:
    moved = (output.astype(np.float64) + 300).astype(np.float64)
    found = probability(moved, "log-density")  # type: ignore[arg-type]
    np.testing.assert_allclose(found, probability(output, "log-density"), rtol=1e-4, atol=1e-6)


@given(outputs, st.sampled_from(["logits", "log-density"]))
def test_a_map_turned_back_is_read_as_the_same_map(output: np.ndarray, meaning: str) -> None:
    shown = probability(output, "logits")
    back = probability(output_of(shown, meaning), meaning)
    scale = shown.max() if meaning == "log-density" else 1
    np.testing.assert_allclose(back, shown / scale, atol=2e-6, rtol=1e-4)


@given(outputs)
def test_translation_keeps_the_map(output: np.ndarray) -> None:
    same = translated(output, "log-density", "log-density")
    assert same is output
    shown = probability(translated(output, "log-density", "logits"), "logits")
    np.testing.assert_allclose(shown, probability(output, "log-density"), atol=2e-6, rtol=1e-4)


def test_an_unknown_meaning_is_refused() -> None:
    with pytest.raises(UserError, match=r"'depth' is not known; known: logits, log-density"):
        probability(np.zeros((2, 2), np.float32), "depth")
