"""Parity says how far a file is from torch, and refuses to compare apples with nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mobile import recipes
from mobile.backend import Array
from mobile.parity import NOISE_SEED, compare, constants, torch_output
from pipeline.errors import UserError
from tests.mobile.tiny import TinyStudent


class Shifted:
    """A runner whose logits are the student's plus a fixed pattern."""

    path = Path("shifted.pte")
    threads = 1

    def __init__(self, student: TinyStudent, shift: Array | float) -> None:
        self.student = student
        self.shift = shift

    def prepare(self, image: Array) -> Array:
        return image

    def invoke(self, prepared: Array) -> Array:
        return torch_output(self.student, prepared) + np.float32(self.shift)

    def run(self, image: Array) -> Array:
        return self.invoke(image)


def test_equal_outputs_have_no_noise(student: TinyStudent, images: list[Array]) -> None:
    report = compare(Shifted(student, 0), student, images[:2], ["a", "b"])
    assert report.real.max_abs_max == 0
    assert report.real.cc_min == 1
    assert report.real.sqnr_db_min is None
    assert report.problems(recipes.get("executorch_fp32")) == []


def test_a_shift_is_measured_in_logits(student: TinyStudent, images: list[Array]) -> None:
    report = compare(Shifted(student, 0.25), student, images[:2], ["a", "b"])
    assert report.real.max_abs_max == pytest.approx(0.25, abs=1e-6)
    expected = torch_output(student, images[0]).astype(np.float64)
    decibels = 10 * np.log10((expected**2).mean() / 0.25**2)
    assert report.per_image[0].sqnr_db == pytest.approx(decibels, abs=1e-3)
    problem = report.problems(recipes.get("executorch_fp32"))
    assert "0.25 exceeds 0.001" in problem[0]


def test_unlike_maps_break_the_correlation_bound(student: TinyStudent, images: list[Array]) -> None:
    pattern = np.random.default_rng(1).normal(0, 3, (1, 1, 32, 64)).astype(np.float32)
    report = compare(Shifted(student, pattern), student, images[:1], ["a"])
    problems = report.problems(recipes.get("litert_int8"))
    assert len(problems) == 1
    assert "below 0.98" in problems[0]


def test_constants_do_not_enter_the_averages(student: TinyStudent, images: list[Array]) -> None:
    report = compare(Shifted(student, 0.5), student, images[:3], ["a", "b", "c"])
    assert report.images == len(report.per_image) == 3
    assert report.real.max_abs_mean == pytest.approx(
        np.mean([row.max_abs for row in report.per_image])
    )


def test_constants_are_the_same_everywhere() -> None:
    made = constants((1, 3, 4, 4))
    assert made["black"].max() == 0
    assert made["white"].min() == 255
    again = np.random.default_rng(NOISE_SEED).integers(0, 256, (1, 3, 4, 4))
    assert np.array_equal(made["noise"], again)


def test_images_and_names_must_match(student: TinyStudent, images: list[Array]) -> None:
    runner = Shifted(student, 0)
    with pytest.raises(UserError, match="no images"):
        compare(runner, student, [], [])
    with pytest.raises(UserError, match="more images"):
        compare(runner, student, images[:2], ["a"])
    with pytest.raises(UserError, match="3 names for 2 images"):
        compare(runner, student, images[:2], ["a", "b", "c"])


def test_outputs_that_are_not_finite_are_refused(student: TinyStudent, images: list[Array]) -> None:
    with pytest.raises(UserError, match="NaN or infinite"):
        compare(Shifted(student, np.nan), student, images[:1], ["a"])


def test_a_student_in_training_mode_is_refused(images: list[Array]) -> None:
    training = TinyStudent().train()
    with pytest.raises(UserError, match="eval"):
        compare(Shifted(training, 0), training, images[:1], ["a"])
