"""The page of a semantic student: class colours with their legend, IoU by class, its own words."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.config import Config
from pipeline.data import classes
from pipeline.report import by_class, overlay
from pipeline.report.drawing import colour, keys
from pipeline.report.read import base
from pipeline.stages import report
from tests.report import semantic
from tests.report.markup import Page


@pytest.fixture
def config(folder: Path) -> Config:
    found = semantic.configuration()
    semantic.write(found)
    return found


def decoded(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_the_page_shows_classes_and_names_those_that_occur(config: Config) -> None:
    text = report.build(config)
    page = Page(text)
    alts = [str(image["alt"]) for image in page.images]
    assert "Classes of val_one as annotated" in alts
    assert any(alt.startswith("Classes of val_one by student, torch, IoU 0.") for alt in alts)
    for word in ("Saliency of", "saliency", "fixation", "Fixation", "attention"):
        assert word not in text.partition("<body>")[2].partition("<script>")[0]
    legend = text.partition('class="swatches"')[2].partition("</ul>")[0]
    assert re.findall(r"</i> (\w+)</li>", legend) == ["sky", "people"]
    assert "Class frequencies" in page.text
    assert "Mean map" not in page.text
    assert "mIoU: of all images together" in page.text
    assert page.images[0]["src"] != page.images[1]["src"]


def test_every_class_has_its_iou_by_predictor(config: Config) -> None:
    facts = base(config)
    assert by_class.columns(facts) == ["Pixels", "Student ↑", "Class frequencies ↑"]
    lines = {line.title: line for line in by_class.class_lines(facts)}
    assert list(lines) == list(classes.get("sample").classes)
    people = lines["people"].cells
    assert [people[0].value, people[2].value] == ["8.4\u202f%", "0.0000"]
    assert people[1].tone == "top"
    assert people[1].key == pytest.approx(0.54, abs=0.02)  # 14 of 26 columns are both's
    assert [cell.value for cell in lines["plant"].cells] == ["none", "—", "—"]
    assert lines["people"].colour == colour(classes.get("sample").colours[semantic.PEOPLE])


def test_a_task_without_classes_has_neither_table_nor_legend(folder: Path) -> None:
    assert by_class.class_lines(None) == []  # type: ignore[arg-type]  # it looks no further
    assert keys(None, []) == []


def test_a_map_of_classes_has_their_colours_and_void_shows_the_photograph() -> None:
    colours = classes.get("sample").colours
    indices = np.array([[0, 2, classes.VOID], [6, 0, 2]], np.uint8)
    shown = np.asarray(decoded(overlay.labels_uri(indices, colours)).convert("RGBA"))
    assert np.array_equal(shown[0, :2, :3], colours[[0, 2]])
    assert np.array_equal(shown[1, 0, :3], colours[6])
    opacity = round(255 * overlay.COVER)
    assert shown[..., 3].tolist() == [[opacity, opacity, 0], [opacity] * 3]
    assert overlay.label_size(1280, 640) == (160, 320)


def test_a_class_lies_evenly_over_dark_and_light() -> None:
    photo = np.stack([np.zeros((1, 2, 3)), np.full((1, 2, 3), 255)], axis=0)[:, 0]
    mixed = overlay.blend_classes(photo.astype(np.uint8), np.array([[255, 0, 0], [0, 0, 255]]))
    assert mixed[0].tolist() == [[158, 0, 0], [0, 0, 158]]
    assert mixed[1].tolist() == [[255, 97, 97], [97, 97, 255]]
