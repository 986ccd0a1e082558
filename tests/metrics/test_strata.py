"""Strata of images: each measure on pictures whose answer is known, and who belongs where."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.metrics.strata import CROWDED, Scene, focus, measure, regions, strata

GREY = np.full((3, 8, 8), 128.0)


def test_a_flat_density_has_half_of_its_mass_on_half_of_the_area() -> None:
    assert focus(np.ones((10, 20))) == 0.5


@pytest.mark.parametrize("scale", [1.0, 255.0, 1e-6])
def test_focus_is_the_smallest_area_with_half_of_the_mass_at_any_scale(scale: float) -> None:
    density = np.zeros((10, 10), dtype=np.float32)
    density[:2] = 1  # 20 pixels alike: ten of them hold half
    assert focus(scale * density) == 0.1
    density[9, 9] = 21.0  # more than half of the mass in one pixel
    assert focus(scale * density) == 0.01


def test_regions_reach_half_of_the_peak_and_join_over_corners() -> None:
    density = np.zeros((9, 9))
    density[0, 0] = 1.0
    density[4, 4] = density[5, 5] = 0.5
    density[8, 0] = 0.49
    assert regions(density) == 2


def test_contrast_is_the_deviation_of_grey_levels_between_0_and_1() -> None:
    halves = GREY.copy()
    halves[:, :4], halves[:, 4:] = 0, 255
    assert measure(halves, None).contrast == pytest.approx(0.5)
    assert measure(GREY, None).contrast == pytest.approx(0)
    green = np.zeros((3, 8, 8))
    green[1, :4] = 255
    assert measure(green, None).contrast == pytest.approx(0.587 / 2)


def test_an_image_without_density_is_judged_by_its_picture_alone() -> None:
    assert measure(GREY, np.zeros((4, 4))) == measure(GREY, None)
    assert measure(GREY, None).focus is None
    found = strata({"a": Scene(None, None, 0.1), "b": Scene(None, None, 0.3)})
    assert found == {"small regions": [], "crowded": [], "low contrast": ["a"]}


def test_a_third_of_the_images_is_lowest_and_crowds_are_counted() -> None:
    scenes = {f"{i}": Scene(i / 100, i, 1 - i / 100) for i in range(9)}
    found = strata(scenes)
    assert found["small regions"] == ["0", "1", "2"]
    assert found["low contrast"] == ["6", "7", "8"]
    assert found["crowded"] == [f"{i}" for i in range(CROWDED, 9)]


def test_where_all_measure_the_same_none_is_lowest() -> None:
    found = strata({name: Scene(0.2, 1, 0.2) for name in "abc"})
    assert found == {"small regions": [], "crowded": [], "low contrast": []}


def test_no_image_no_stratum() -> None:
    assert not any(strata({}).values())
