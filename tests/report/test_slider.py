"""Two views of one image with a divider between them, by keyboard and by pointer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report import workspace
from tests.report.browser import PROGRAM, Browser, browser

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed")
NOW = "Number(document.querySelector('.divider').ariaValueNow)"
SHOWN = "document.querySelector('.side.{side} img.layer').src"
CHOICES = "[...document.querySelector('.pick-{side}').options].map(o => o.textContent)"


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def page(tab: Browser, built: Path) -> Browser:
    tab.open(built)
    return tab


def choose(page: Browser, side: str, title: str) -> None:
    page.ask(
        f"{{const pick = document.querySelector('.pick-{side}');"
        f"pick.selectedIndex = {CHOICES.format(side=side)}.indexOf('{title}');"
        "pick.dispatchEvent(new Event('change')); 0}"
    )


def test_everything_of_an_image_can_be_chosen_on_both_sides(page: Browser) -> None:
    expected = [
        "Photograph",
        "People",
        "Teacher salgan",
        "Student, torch",
        "ExecuTorch fp32",
        "ExecuTorch int8",
        "LiteRT fp32",
        "LiteRT int8",
    ]
    for side in ("left", "right"):
        assert page.ask(CHOICES.format(side=side)) == expected


def test_the_keyboard_moves_the_divider_within_its_bounds(page: Browser) -> None:
    page.ask("document.querySelector('.divider').focus()")
    assert page.ask(NOW) == 50
    page.press("ArrowRight")
    assert page.ask(NOW) == 52
    page.press("PageDown")
    assert page.ask(NOW) == 42
    page.press("Home")
    page.press("ArrowLeft")
    assert page.ask(NOW) == 0
    page.press("End")
    assert page.ask(NOW) == 100
    assert "100%" in page.ask("getComputedStyle(document.querySelector('.side.right')).clipPath")


def test_the_pointer_drags_it_even_beyond_the_stage(page: Browser) -> None:
    page.ask("document.querySelector('.stage').scrollIntoView({behavior: 'instant'})")
    left, top, width, height = page.box(".stage")
    middle = top + height / 2
    page.mouse("mousePressed", left + width / 2, middle)
    page.mouse("mouseMoved", left + width / 4, middle)
    assert page.ask(NOW) == pytest.approx(25, abs=1)
    page.mouse("mouseMoved", left - 40, middle)
    page.mouse("mouseReleased", left - 40, middle)
    assert page.ask(NOW) == 0
    page.mouse("mouseMoved", left + width / 2, middle)
    assert page.ask(NOW) == 0


def test_a_choice_shows_that_map_and_its_scores(page: Browser) -> None:
    choose(page, "right", "ExecuTorch int8")
    wanted = page.ask("document.querySelector('[data-key=executorch_int8] img').src")
    assert page.ask(SHOWN.format(side="right")) == wanted
    assert page.ask("document.querySelector('.said-right').textContent").startswith(
        "ExecuTorch int8: CC 0."
    )


def test_the_photograph_is_in_colour_and_maps_lie_over_a_grey_one(page: Browser) -> None:
    colours = "document.querySelector('.side.left .backing').classList.contains('colour')"
    choose(page, "left", "People")
    assert not page.ask(colours)
    choose(page, "left", "Photograph")
    assert page.ask(colours)
    assert not page.ask("document.querySelector('.side.left img').checkVisibility()")


def test_left_and_right_exchange(page: Browser) -> None:
    sides = [page.ask(SHOWN.format(side=side)) for side in ("left", "right")]
    page.click(".swap")
    assert [page.ask(SHOWN.format(side=side)) for side in ("right", "left")] == sides


def test_another_image_keeps_the_choice(page: Browser) -> None:
    choose(page, "left", "Student, torch")
    before = page.ask(SHOWN.format(side="left"))
    page.click(".thumb:nth-child(2)")
    assert page.ask("document.querySelector('.said-image').textContent") == workspace.IDS[1]
    assert page.ask("document.querySelector('.side.left .name').textContent") == "Student, torch"
    assert page.ask(SHOWN.format(side="left")) != before
    height, width = workspace.SIZES[1]
    _, _, across, down = page.box(".stage")
    assert across / down == pytest.approx(width / height, rel=0.01)


def test_fixations_and_the_bare_map_on_demand(page: Browser) -> None:
    dots = "document.querySelector('.side.left .dots').checkVisibility()"
    backing = "getComputedStyle(document.querySelector('.side.left .backing')).visibility"
    assert not page.ask(dots)
    page.click(".show-dots")
    assert page.ask(dots)
    assert page.ask("document.querySelector('.side.left .over').getBBox().width") > 0
    page.click(".bare")
    assert page.ask(backing) == "hidden"


def test_the_stage_fits_a_telephone(tab: Browser, built: Path) -> None:
    tab.open(built, 390)
    left, _, width, _ = tab.box(".stage")
    assert left >= 0
    assert left + width <= 390
