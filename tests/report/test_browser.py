"""A real browser loads the page: pictures decode, nothing complains, nothing is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.config import Config
from pipeline.files import atomic_write_text
from pipeline.stages import report
from tests.report import workspace
from tests.report.browser import PROGRAM, Browser, browser

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed")
BROKEN = "[...document.images].filter(i => !i.complete || i.naturalWidth === 0).length"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def page(config: Config, folder: Path) -> Path:
    workspace.write(config)
    target = folder / "report.html"
    atomic_write_text(target, report.build(config))
    return target


def test_the_page_loads_without_a_complaint(tab: Browser, page: Path) -> None:
    tab.open(page)
    assert tab.complaints() == []
    assert tab.ask("document.images.length") == 6 * len(workspace.IDS)
    assert tab.ask(BROKEN) == 0
    outside = [url for url in tab.requests() if not url.startswith("data:")]
    assert outside == [page.as_uri()]


@pytest.mark.parametrize("width", [420, 800, 1280])
def test_only_tables_and_charts_scroll_sideways(tab: Browser, page: Path, width: int) -> None:
    tab.open(page, width)
    assert tab.ask(OVERFLOW) <= 0


def test_follows_the_colour_scheme_and_prints_on_white(tab: Browser, page: Path) -> None:
    def background() -> str:
        return str(tab.ask("getComputedStyle(document.body).backgroundColor"))

    tab.open(page)
    light = background()
    tab.open(page, dark=True)
    assert background() != light
    tab.open(page, dark=True, media="print")
    assert background() == "rgb(255, 255, 255)"
