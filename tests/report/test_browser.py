"""A real browser loads the page: pictures decode, nothing complains, nothing is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report import workspace
from tests.report.browser import PROGRAM, Browser, browser

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed")
BROKEN = "[...document.images].filter(i => i.src && !i.hidden && !i.naturalWidth).length"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
PHOTOGRAPHS = """Promise.all([...document.querySelectorAll(".shown")].map(async (shown) => {
  const photo = new Image();
  photo.src = shown.style.getPropertyValue("--photo").slice(4, -1);
  await photo.decode();
  return photo.naturalWidth;
}))"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def test_the_page_loads_without_a_complaint_or_a_request(tab: Browser, built: Path) -> None:
    tab.open(built)
    assert tab.complaints() == []
    outside = [url for url in tab.requests() if not url.startswith("data:")]
    assert outside == [built.as_uri()]
    assert built.stat().st_size < 5 * 2**20


def test_all_pictures_are_there(tab: Browser, built: Path) -> None:
    tab.open(built)
    # Seven maps of each image, and two on the stage of the slider.
    assert tab.ask("document.images.length") == 7 * len(workspace.IDS) + 2
    assert tab.ask(BROKEN) == 0
    assert tab.ask(PHOTOGRAPHS) == [width for _, width in workspace.SIZES]
    assert tab.ask("[...document.querySelectorAll('.chart')].every(c => c.viewBox.baseVal.width)")


@pytest.mark.parametrize("width", [390, 800, 1060, 1280, 1600])
def test_nothing_scrolls_sideways(tab: Browser, built: Path, width: int) -> None:
    tab.open(built, width)
    assert tab.ask(OVERFLOW) <= 0
    inner = "[...document.querySelectorAll('.scroll')].some(s => s.scrollWidth > s.clientWidth)"
    assert not tab.ask(inner)


def test_follows_the_system_s_colours_until_the_button_is_pressed(
    tab: Browser, built: Path
) -> None:
    tab.open(built)
    light = tab.ask(BACKGROUND)
    tab.click(".theme")
    dark = tab.ask(BACKGROUND)
    assert dark != light
    assert tab.ask("document.querySelector('.theme').textContent") == "Light"
    tab.click(".theme")
    assert tab.ask(BACKGROUND) == light
    tab.open(built, dark=True)
    assert tab.ask(BACKGROUND) == dark


def test_text_stands_out_in_both_themes(tab: Browser, built: Path) -> None:
    for dark in (False, True):
        tab.open(built, dark=dark)
        for name in ("ink", "soft", "blue", "orange", "good", "bad"):
            for ground in ("page", "card"):
                assert contrast(tab, name, ground) >= 4.5, (name, ground, dark)


def contrast(tab: Browser, text: str, ground: str) -> float:
    """Ratio of two of the page's colours as WCAG 2 defines it."""
    tab.ask(
        "{const s = document.body.style;"
        f"s.color = 'var(--{text})'; s.backgroundColor = 'var(--{ground})'; 0}}"
    )
    found = tab.ask(
        "(s => [s.color, s.backgroundColor].map(c => c.match(/[\\d.]+/g).map(Number)))"
        "(getComputedStyle(document.body))"
    )
    low, high = sorted(luminance(*colour[:3]) for colour in found)
    return (high + 0.05) / (low + 0.05)


def luminance(*channels: float) -> float:
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear))


def test_tables_sort_and_keep_the_reference_on_top(tab: Browser, built: Path) -> None:
    titles = (
        "[...document.querySelectorAll('.results tbody tr')].map(r => r.cells[0].firstChild.data)"
    )
    tab.open(built)
    before = tab.ask(titles)
    head = ".results thead th:nth-child(3)"
    tab.click(f"{head} button")
    rising = tab.ask(titles)
    assert tab.ask(f"document.querySelector('{head}').ariaSort") == "ascending"
    tab.click(f"{head} button")
    falling = tab.ask(titles)
    assert rising[0] == falling[0] == before[0] == "torch"
    assert sorted(rising) == sorted(falling) == sorted(before)
    sizes = [tab.ask(f"document.querySelectorAll('.results tbody tr')[{i}].cells[2].dataset.key")
             for i in range(1, len(before))]  # fmt: skip
    assert sizes == sorted(sizes, key=int, reverse=True)
    assert len(set(sizes)) > 1


def test_a_disc_tells_its_figures_when_focused(tab: Browser, built: Path) -> None:
    tab.open(built)
    tip = "document.querySelector('.trade .tip')"
    assert tab.ask(f"{tip}.hidden")
    tab.ask("document.querySelector('.trade .v0 .wide-only .mark').focus()")
    assert not tab.ask(f"{tip}.hidden")
    name = tab.ask("document.activeElement.dataset.name")
    assert tab.ask(f"{tip}.textContent").startswith(name)
    tab.press("Escape")
    assert tab.ask(f"{tip}.hidden")


def test_another_metric_is_another_picture(tab: Browser, built: Path) -> None:
    visible = (
        "[...document.querySelectorAll('.trade:not(.aside) .view')].map(v => v.checkVisibility())"
    )
    tab.open(built)
    assert tab.ask(visible) == [True, False]
    tab.click("[name=metric][value=v1]")
    assert tab.ask(visible) == [False, True]


def test_without_scripts_the_gallery_is_all_there(tab: Browser, built: Path) -> None:
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.open(built)
        shown = "[...document.querySelectorAll('.shown figure:not([hidden])')]"
        assert tab.ask(f"{shown}.length") == 6 * len(workspace.IDS)
        assert tab.ask(f"{shown}.every(f => f.checkVisibility())")
        assert not tab.ask("document.querySelector('#compare').checkVisibility()")
        assert not tab.ask("document.querySelector('.theme').checkVisibility()")
        assert tab.ask("document.querySelectorAll('button').length") == 2
    finally:
        tab.call("Emulation.setScriptExecutionDisabled", value=False)
