"""Fixations in a trace of the eye, against what the authors' own code finds in the same traces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.data.gaze.saccades import fixations, intervals
from tests.data.official import eye_trace

# What checkFixations.m, as it comes with MIT1003, found in GNU Octave 7.3 in `eye_trace(seed)`:
# samples from 0, the last one excluded, and medians.
ORIGINAL = {
    1: (
        [(0, 1), (12, 58), (71, 121), (149, 188), (201, 214), (225, 240)],
        [(523, 731), (614, 736), (702, 609), (675, 640), (671, 713), (491, 790)],
    ),
    2: (
        [(0, 27), (37, 90), (119, 166), (178, 225)],
        [(268, 229), (309, 187), (521, 16), (542, 78)],
    ),
    3: (
        [(0, 11), (26, 58), (91, 136), (147, 198), (208, 220)],
        [(87, 182), (44, 314), (107, -21), (8, -33), (51.5, -12)],
    ),
    4: (
        [(0, 53), (109, 125), (152, 195), (217, 240)],
        [(966, 392), (1038, 497), (1031, 514), (1067, 540)],
    ),
    5: (
        [(0, 26), (40, 84), (99, 141), (168, 210)],
        [(824, 620), (813, 823), (1106.5, 960), (1277, 845)],
    ),
    6: (
        [(0, 53), (65, 80), (91, 139), (173, 213), (226, 240)],
        [(551, 263), (383, 295), (382, 358), (495, 197), (558, 365.5)],
    ),
    7: (
        [(0, 33), (47, 62), (70, 189), (200, 220)],
        [(640, 689), (744, 640), (763, 652), (746, 727)],
    ),
    8: (
        [(0, 9), (23, 67), (78, 102), (119, 150), (204, 240)],
        [(335, 758), (-1.5, 746), (137, 787), (363, 613), (257, 936)],
    ),
}


@pytest.mark.parametrize("seed", ORIGINAL)
def test_the_same_fixations_as_the_original(seed: int) -> None:
    places, medians = ORIGINAL[seed]
    trace = eye_trace(seed)
    assert intervals(trace) == places
    np.testing.assert_array_equal(fixations(trace), medians)


def test_an_eye_that_rests_has_one_fixation() -> None:
    trace = np.tile([30.0, 40.0], (100, 1))
    assert intervals(trace) == [(0, 100)]
    np.testing.assert_array_equal(fixations(trace), [[30, 40]])
    assert len(fixations(np.zeros((0, 2)))) == 0
    assert np.isnan(fixations(np.full((20, 2), np.nan))).all()


def test_a_clean_saccade_parts_two_fixations() -> None:
    trace = np.tile([100.0, 100.0], (120, 1))
    trace[60:66, 0] = [120, 180, 260, 340, 400, 420]
    trace[66:, 0] = 420
    (start, middle), (after, end) = intervals(trace)
    assert (start, end) == (0, 120)
    assert 50 < middle < 63
    assert 66 <= after < 76
    np.testing.assert_array_equal(fixations(trace), [[100, 100], [420, 100]])


@settings(max_examples=100)
@given(arrays(np.float64, st.tuples(st.integers(0, 90), st.just(2)), elements=st.floats(-1e3, 1e3)))
def test_any_trace_is_parted_in_order(trace: np.ndarray) -> None:
    found = intervals(trace)
    assert fixations(trace).shape == (len(found), 2)
    edges = [edge for pair in found for edge in pair]
    assert edges == sorted(edges)
    assert not found or (edges[0], edges[-1] <= len(trace)) == (0, True)
