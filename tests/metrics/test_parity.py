from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.metrics.parity import BatchParity, Parity

REFERENCE = np.random.default_rng(0).normal(size=(3, 1, 8, 9)).astype(np.float32)


def test_identical_outputs_are_perfect() -> None:
    assert Parity.from_arrays(REFERENCE, REFERENCE) == Parity(math.inf, 1.0, 0.0, 1.0)
    flat = np.ones((2, 2), np.float32)
    assert Parity.from_arrays(flat, flat) == Parity(math.inf, 1.0, 0.0, 1.0)
    nothing = np.zeros((2, 2), np.float32)
    assert Parity.from_arrays(nothing, nothing) == Parity(math.inf, 1.0, 0.0, 1.0)


def test_known_noise_has_its_known_decibels() -> None:
    parity = Parity.from_arrays(np.array([3.0, 4.0]), np.array([3.0, 4.5]))
    assert parity.sqnr_db == pytest.approx(20)
    assert parity.max_abs == 0.5
    assert parity.cosine == pytest.approx((9 + 18) / (5 * math.hypot(3, 4.5)))
    assert parity.pearson == pytest.approx(1)


@given(st.integers(1, 8))
def test_each_bit_is_worth_six_decibels(bits: int) -> None:
    values = np.random.default_rng(bits).uniform(-1, 1, 20000)
    step = 2.0 ** -(bits + 4)
    parity = Parity.from_arrays(values, np.round(values / step) * step)
    assert parity.sqnr_db == pytest.approx(10 * math.log10((1 / 3) / (step**2 / 12)), abs=0.3)


@given(st.floats(0.1, 10), st.floats(-5, 5))
def test_pearson_ignores_what_sqnr_punishes(scale: float, offset: float) -> None:
    parity = Parity.from_arrays(REFERENCE, (REFERENCE * scale + offset).astype(np.float64))
    assert parity.pearson == pytest.approx(1, abs=1e-5)


def test_tensors_and_arrays_agree() -> None:
    candidate = REFERENCE + np.float32(0.01)
    expected = Parity.from_arrays(REFERENCE, candidate)
    tensors = torch.from_numpy(REFERENCE).requires_grad_(), torch.from_numpy(candidate)
    assert Parity.from_arrays(*tensors) == expected
    assert BatchParity.from_arrays(*tensors).overall == expected


def test_a_batch_is_pooled_and_looked_at_image_by_image() -> None:
    candidate = REFERENCE.copy()
    candidate[1] += 0.5
    candidate[2, 0, 0, 0] += 2
    batch = BatchParity.from_arrays(REFERENCE, candidate)
    assert batch.overall == Parity.from_arrays(REFERENCE, candidate)
    assert batch.images[0].sqnr_db == math.inf
    assert batch.images[1].pearson == pytest.approx(1)
    assert batch.worst.max_abs == pytest.approx(2)
    assert batch.worst.sqnr_db == min(image.sqnr_db for image in batch.images)
    assert batch.worst.pearson == batch.images[2].pearson


def test_undefined_correlation_fails_every_gate() -> None:
    constant = Parity.from_arrays(np.ones(4), np.array([1.0, 1.0, 1.0, 1.5]))
    assert math.isnan(constant.pearson)
    assert not constant.pearson >= 0.5
    lost = Parity.from_arrays(np.zeros(3), np.ones(3))
    assert lost.sqnr_db == -math.inf
    assert math.isnan(lost.cosine)
    batch = BatchParity.from_arrays(np.zeros((2, 3)), np.array([[0.0, 0, 0], [1.0, 1, 1]]))
    assert math.isnan(batch.worst.cosine)


def test_row_is_valid_json() -> None:
    row = Parity.from_arrays(REFERENCE, REFERENCE).row()
    assert json.loads(json.dumps(row, allow_nan=False))["sqnr_db"] is None


def test_bad_outputs_are_named() -> None:
    broken = REFERENCE.copy()
    broken[0, 0, 0, :2] = np.nan
    with pytest.raises(UserError, match="the candidate output has 2 of 216 values"):
        Parity.from_arrays(REFERENCE, broken)
    with pytest.raises(ValueError, match="same shape"):
        Parity.from_arrays(REFERENCE, REFERENCE[:1])
    with pytest.raises(ValueError, match="empty"):
        Parity.from_arrays(REFERENCE[:0], REFERENCE[:0])
