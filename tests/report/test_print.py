"""On paper: white, no controls, the results table whole, the slider as a pair."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report.browser import PROGRAM, Browser, browser

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed")
A4 = 718
"""Width between the margins in CSS pixels."""


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[Browser]:
    """The page as it is laid out for printing, by someone who reads in the dark."""
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        opened.open(built, A4, dark=True)
        opened.click(".theme")
        opened.click(".theme")
        opened.call("Emulation.setEmulatedMedia", media="print")
        yield opened


def seen(paper: Browser, selector: str) -> list[bool]:
    return paper.ask(f"[...document.querySelectorAll('{selector}')].map(e => e.checkVisibility())")


def test_white_whatever_the_theme(paper: Browser) -> None:
    body = "getComputedStyle(document.body)"
    assert paper.ask("document.documentElement.dataset.theme") == "dark"
    assert paper.ask(f"{body}.backgroundColor") == "rgb(255, 255, 255)"
    assert paper.ask(f"{body}.color") == "rgb(27, 31, 35)"


def test_no_controls(paper: Browser) -> None:
    for selector in (".theme", ".controls", ".strip", ".divider", ".choice", ".tip"):
        assert not any(seen(paper, selector))


def test_results_and_every_view_are_there(paper: Browser) -> None:
    assert all(seen(paper, ".results td"))
    assert all(seen(paper, ".trade:not(.aside) .view"))
    assert paper.ask("document.documentElement.scrollWidth") <= A4


def test_the_slider_is_a_pair(paper: Browser) -> None:
    left, top, width, height = paper.box(".side.left")
    beside, level, *size = paper.box(".side.right")
    assert level == pytest.approx(top, abs=1)
    assert size == pytest.approx([width, height], abs=1)
    assert beside >= left + width
    assert paper.ask("getComputedStyle(document.querySelector('.side.right')).clipPath") == "none"


def test_prints_pages_with_all_tables(paper: Browser) -> None:
    printed = paper.call("Page.printToPDF", preferCSSPageSize=True, generateTaggedPDF=True)
    pdf = base64.b64decode(printed["data"])
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", pdf)) >= 3
    tables = paper.ask("document.querySelectorAll('table').length")
    assert len(re.findall(rb"/S /Table\b", pdf)) == tables
    headed = paper.ask("document.querySelectorAll('.results tbody tr').length")
    assert len(re.findall(rb"/S /TR\b", pdf)) > headed
