from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.labels.encoding import decode, encode


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20))
def test_u8_is_within_half_a_level_and_stable(values: list[float]) -> None:
    maps = np.array(values, np.float32).reshape(1, 1, -1)
    stored = encode(maps, "u8", ["a"])
    assert stored.dtype == np.uint8
    assert np.abs(decode(stored) - maps).max() <= 0.5 / 255 + 1e-7
    np.testing.assert_array_equal(encode(decode(stored), "u8", ["a"]), stored)


def test_every_level_of_u8_survives() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    np.testing.assert_array_equal(encode(decode(levels), "u8", ["a"]), levels)


@given(st.lists(st.floats(-30, 0, width=32), min_size=1, max_size=20))
def test_f16_keeps_log_densities_to_half_a_step(values: list[float]) -> None:
    maps = np.array(values, np.float32).reshape(1, 1, -1)
    stored = encode(maps, "f16", ["a"])
    assert stored.dtype == np.dtype("<f2")
    np.testing.assert_allclose(decode(stored), maps, rtol=2**-11, atol=2**-25)


def test_rounding_just_outside_0_to_1_is_forgiven() -> None:
    maps = np.array([[[-1e-7, 1 + 2e-7]]], np.float32)
    assert encode(maps, "u8", ["a"]).tolist() == [[[0, 255]]]


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(1.01, "u8"), (-0.01, "u8"), (np.nan, "u8"), (np.nan, "f16"), (-np.inf, "f16"), (7e4, "f16")],
)
def test_a_map_that_cannot_be_stored_names_its_image(value: float, dtype: str) -> None:
    maps = np.full((2, 2, 2), 0.5, np.float32)
    maps[1, 0, 0] = value
    with pytest.raises(UserError, match=r"map of 'horse' has values from .* check the teacher"):
        encode(maps, dtype, ["cat", "horse"])
