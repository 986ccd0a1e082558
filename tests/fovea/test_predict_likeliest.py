"""`fovea predict` with a model that names a class for a whole photograph."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fovea.predict import classes, model
from fovea.predict.inputs import CLASSES, Photo
from fovea.predict.likeliest import encoded, likeliest
from fovea.predict.session import Settings, to_folder, to_stdout
from fovea.predict.work import Wanted
from mobile.backend import Array
from pipeline.errors import UserError
from tests.fovea.conftest import pixels

LOGITS = np.log(np.array([1, 4, 2, 1, 8, 16, 32], np.float32))[:, None, None]
NAMES = ("ant", "bee", "cow", "dog", "eel", "fox", "gnu")


class Fixed:
    """A classifier of one opinion."""

    def run(self, image: Array) -> Array:
        assert image.shape == (1, 3, 12, 16)
        return LOGITS[None]


def of(folder: Path, names: tuple[str, ...] = NAMES) -> model.Model:
    path = folder / "model.pte"
    fixed: Callable[[int], Fixed] = lambda _threads: Fixed()  # noqa: E731
    return model.Model(path, "tiny", "ab", classes.MEANING, (12, 16), fixed, "", names, True)  # type: ignore[arg-type]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "gnu.png"
    Image.fromarray(pixels(30, 40)).save(path)
    return path


def test_the_five_likeliest_with_their_probabilities() -> None:
    found = likeliest(LOGITS, NAMES)
    assert [each["class"] for each in found] == ["gnu", "fox", "eel", "bee", "cow"]
    assert [each["index"] for each in found] == [6, 5, 4, 1, 2]
    assert [each["probability"] for each in found] == [0.5, 0.25, 0.125, 0.0625, 0.03125]


def test_the_first_of_equal_classes_stands_first_and_names_may_be_unknown() -> None:
    found = likeliest(np.zeros((3, 1, 1), np.float32))
    assert found == [{"index": i, "probability": 0.333333} for i in range(3)]


def test_large_logits_do_not_overflow() -> None:
    found = likeliest(np.array([3000, -3000], np.float32)[:, None, None])
    assert [each["probability"] for each in found] == [1.0, 0.0]


def test_a_folder_gets_json_and_no_pictures(tmp_path: Path, photo: Path) -> None:
    out = tmp_path / "out"
    settings = Settings(Wanted(logits=True), 1)
    outcome = to_folder(of(tmp_path), [Photo(photo, Path("gnu"))], [], out, settings)
    assert sorted(path.name for path in outcome.written) == ["gnu.classes.json", "gnu.logits.npy"]
    assert (out / f"gnu{CLASSES}").read_bytes() == encoded(LOGITS, NAMES)
    assert json.loads((out / f"gnu{CLASSES}").read_text()) == likeliest(LOGITS, NAMES)
    assert np.array_equal(np.load(out / "gnu.logits.npy"), LOGITS)
    assert sorted(p.name for p in out.iterdir()) == [
        "gnu.classes.json", "gnu.logits.npy", "predict.json",
    ]  # fmt: skip


def test_what_is_there_is_kept(tmp_path: Path, photo: Path) -> None:
    photos, out = [Photo(photo, Path("gnu"))], tmp_path / "out"
    to_folder(of(tmp_path), photos, [], out, Settings(Wanted(), 1))
    again = to_folder(of(tmp_path), photos, [], out, Settings(Wanted(), 1, resume=True))
    assert (again.done, again.kept) == (0, 1)


def test_one_photograph_through_a_pipe(
    tmp_path: Path, photo: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    settings = Settings(Wanted(), 1)
    to_stdout(of(tmp_path), str(photo), raw=False, logits=False, settings=settings)
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == encoded(LOGITS, NAMES)


def test_depth_of_a_map_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="names classes and draws no map; leave --depth out"):
        to_folder(of(tmp_path), [], [], tmp_path / "out", Settings(Wanted(depth=16), 1))
    assert not (tmp_path / "out").exists()


def test_names_come_from_the_bundle() -> None:
    entry = {"output": {"meaning": classes.MEANING, "shape": [1, 2, 1, 1]}}
    told = [{"name": "ant", "colour": "#000000"}, {"name": "bee", "colour": "#ffffff"}]
    content = {"lineage": {}, "output": {"classes": told}}
    assert model._class_names(content, entry) == ("ant", "bee")


def test_a_checkpoint_of_a_classifier_is_known_as_one() -> None:
    assert model.names_whole("cednet_n_classifier")
    assert not model.names_whole("cednet_n")
