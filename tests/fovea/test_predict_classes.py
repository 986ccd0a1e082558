"""`fovea predict` with a model of classes: indices as measured, their colours and names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fovea.predict import classes, model, record
from fovea.predict.inputs import MAP, OVERLAY
from fovea.predict.work import Job, Predictor, Wanted, write
from mobile.backend import Array
from pipeline.data.classes import get
from pipeline.errors import UserError
from pipeline.files import read_json
from pipeline.tasks.semantic import SemanticTask
from tests.fovea.conftest import pixels

NAMES = get("sample").classes


def output(height: int, width: int, number: int = len(NAMES), seed: int = 0) -> np.ndarray:
    """Smooth class logits, of which a few win."""
    generator = np.random.default_rng(seed)
    small = generator.normal(0, 2, (number, height, width)).astype(np.float32)
    small[number // 2 :] -= 12
    return small


class Fixed:
    """A model that gives the same for every picture."""

    def __init__(self, found: np.ndarray) -> None:
        self._found = found[None]

    def run(self, image: Array) -> Array:
        assert image.shape == (1, 3, 12, 16)
        return self._found


def predictor(found: np.ndarray, names: tuple[str, ...] = ()) -> Predictor:
    return Predictor(Fixed(found), 12, 16, classes.MEANING, names)  # type: ignore[arg-type]


def job(folder: Path) -> Job:
    return Job("dog", folder / "dog", lambda: pixels(60, 90))


@pytest.mark.parametrize("size", [(12, 16), (60, 90), (37, 16), (45, 200)])
@pytest.mark.parametrize("number", [2, 7, 40])
def test_the_map_holds_the_classes_that_are_measured(size: tuple[int, int], number: int) -> None:
    found = output(12, 16, number)
    assert np.array_equal(classes.indices(found, *size), SemanticTask().classes(found, *size))


def test_classes_that_can_win_nowhere_are_not_enlarged() -> None:
    found = output(12, 16, 40)
    assert classes.candidates(found) == list(range(20))


def test_one_plane_or_more_than_a_byte_can_name_is_refused() -> None:
    for shape in ((12, 16), (1, 12, 16), (257, 2, 2)):
        with pytest.raises(UserError, match="not a plane for each"):
            classes.indices(np.zeros(shape, np.float32), 4, 4)


def test_a_photograph_becomes_indices_colours_and_logits(tmp_path: Path) -> None:
    found = output(12, 16)
    write(job(tmp_path), pixels(60, 90), predictor(found, NAMES), Wanted(logits=True))
    with Image.open(tmp_path / f"dog{MAP}") as image:
        assert (image.mode, image.size) == ("L", (90, 60))
        assert np.array_equal(np.asarray(image), classes.indices(found, 60, 90))
    with Image.open(tmp_path / f"dog{OVERLAY}") as image:
        assert (image.format, image.size) == ("JPEG", (90, 60))
    assert np.array_equal(np.load(tmp_path / "dog.logits.npy"), found)


def test_an_overlay_may_be_smaller_than_the_map(tmp_path: Path) -> None:
    write(job(tmp_path), pixels(60, 90), predictor(output(12, 16)), Wanted(longest=30))
    assert Image.open(tmp_path / f"dog{OVERLAY}").size == (30, 20)
    assert Image.open(tmp_path / f"dog{MAP}").size == (90, 60)


def test_colours_are_the_report_s_and_those_of_a_list_of_that_length_without_names() -> None:
    from pipeline.data.classes import palette
    from pipeline.report.overlay import blend_classes

    photo = pixels(4, 6)
    grey = np.asarray(Image.fromarray(photo).convert("L"))
    found = np.arange(24, dtype=np.uint8).reshape(4, 6) % len(NAMES)
    for names, colours in (
        (NAMES, get("sample").colours),
        (("",) * len(NAMES), palette(len(NAMES))),
    ):
        drawn = np.asarray(classes.overlay(grey, found, names).convert("RGB")).astype(int)
        assert np.abs(drawn - blend_classes(photo, colours[found])).max() <= 1  # whole grey levels


def of(folder: Path, names: tuple[str, ...] = ()) -> model.Model:
    def load(_threads: int) -> Fixed:
        return Fixed(output(12, 16))

    path = folder / "model.pte"
    return model.Model(path, "tiny", "ab", classes.MEANING, (12, 16), load, classes=names)  # type: ignore[arg-type]


def test_the_record_says_what_the_indices_mean_where_that_is_known(tmp_path: Path) -> None:
    for names in ((), NAMES):
        record.keep(tmp_path, of(tmp_path, names), Wanted(), fast=False, resume=False)
        assert read_json(tmp_path / record.NAME).get("classes", []) == list(names)


def test_16_bits_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    from fovea.predict.session import Settings, to_folder

    with pytest.raises(UserError, match="leave --depth out"):
        to_folder(of(tmp_path), [], [], tmp_path / "out", Settings(Wanted(depth=16), 1))
    assert not (tmp_path / "out").exists()


def test_names_come_from_the_data_a_bundle_was_made_of() -> None:
    entry = {"output": {"meaning": classes.MEANING, "shape": [1, len(NAMES), 12, 16]}}
    content = {"lineage": {"data": {"train": {"classes": "sample"}}}}
    assert model._class_names(content, entry) == NAMES
    assert model._class_names({"lineage": {"data": {"train": {"classes": "voc"}}}}, entry) == ()
    assert model._class_names({"lineage": {}}, entry) == ()


def test_predicting_does_not_wait_for_torch() -> None:
    code = (
        "import sys, fovea.predict.session, pipeline.data.classes, pipeline.report.overlay; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
