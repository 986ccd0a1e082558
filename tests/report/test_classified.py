"""The page of a classifier: likeliest classes over photographs, accuracies and mistakes."""

from __future__ import annotations

import base64
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from pipeline.config import Config
from pipeline.report import by_class, mistaken
from pipeline.report.chances import LETTERS, Chance, bars_uri, likeliest
from pipeline.report.read import base
from pipeline.stages import report
from tests.report import classified
from tests.report.markup import Page

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def config(folder: Path) -> Config:
    found = classified.configuration()
    classified.write(found)
    return found


def drawn(uri: str) -> ET.Element:
    kind, _, text = uri.partition(",")
    assert kind == "data:image/svg+xml;base64"
    return ET.fromstring(base64.b64decode(text))


def test_photographs_show_the_class_and_the_likeliest_ones(config: Config) -> None:
    text = report.build(config)
    page = Page(text)
    alts = [str(image["alt"]) for image in page.images]
    assert "Class of zebra/val as annotated: zebra" in alts
    shown = "Likeliest classes of zebra/val by student, torch: boat 0.665, zebra 0.245, cat & dog"
    assert any(alt.startswith(shown) for alt in alts)
    assert any(alt.endswith("P 0.245, top1 0.000") for alt in alts)
    for word in ("Saliency of", "saliency", "fixation", "Fixation", "attention", "own range"):
        assert word not in text.partition("<body>")[2].partition("<script>")[0]
    assert 'class="swatches"' not in text
    assert "Class frequencies" in page.text
    assert "mAcc: of all images together" in page.text


def test_every_class_has_its_accuracy_by_predictor(config: Config) -> None:
    facts = base(config)
    assert by_class.columns(facts) == ["Images", "Student ↑", "Class frequencies ↑"]
    lines = {line.title: line for line in by_class.class_lines(facts)}
    assert list(lines) == list(classified.NAMES)
    assert [cell.value for cell in lines["zebra"].cells] == ["1", "0.0000", "0.0000"]
    assert [cell.value for cell in lines["cat & dog"].cells] == ["1", "1.0000", "0.0000"]
    assert lines["cat & dog"].cells[1].tone == "top"


def test_of_many_classes_the_worst_are_listed(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_class, "MOST", 1)
    assert [line.title for line in by_class.class_lines(base(config))] == ["zebra"]


def test_mistakes_are_listed_with_their_share_of_the_class(config: Config) -> None:
    (line,) = mistaken.mistaken_lines()
    assert line.title == "zebra"
    assert [cell.value for cell in line.cells] == ["boat", "1", "100.0\u202f%"]
    assert "What the student mistakes most often" in report.build(config)


def test_a_task_without_classes_of_images_has_no_mistakes(folder: Path) -> None:
    assert mistaken.mistaken_lines() == []
    assert by_class.kind() == "pixels"


def test_the_first_of_equal_chances_stands_first() -> None:
    chances = likeliest(np.full((4, 1, 1), 0.25, np.float32), "abcd", most=2)
    assert [chance.words for chance in chances] == ["a 0.250", "b 0.250"]


def test_bars_are_as_long_as_their_probabilities_and_names_are_text() -> None:
    root = drawn(bars_uri([Chance("<cat>", 0.5), Chance("x" * 40, 0.25)], 640, 480))
    assert root.get("viewBox") == "0 0 320 240"
    panel, first, second = root.findall(f"{SVG}rect")
    assert float(panel.get("y", 0)) + float(panel.get("height", 0)) == 240
    assert float(first.get("width", 0)) == pytest.approx(2 * float(second.get("width", 0)))
    texts = [text.text for text in root.findall(f"{SVG}text")]
    assert texts == ["<cat>", "0.500", "x" * (LETTERS - 1) + "…", "0.250"]


def test_what_people_say_has_no_probability() -> None:
    root = drawn(bars_uri([Chance("cat")], 100, 300))
    assert root.get("viewBox") == "0 0 320 960"
    assert len(root.findall(f"{SVG}rect")) == 1
    assert [text.text for text in root.findall(f"{SVG}text")] == ["cat", None]
