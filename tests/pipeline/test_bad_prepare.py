"""What `prepare` refuses, as a user sees it: status 2, one line, and nothing written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from pipeline.config.load import compose_raw
from pipeline.data.fixations import write_mat
from pipeline.stages import prepare
from tests.conftest import ROOT
from tests.data import trees

PHOTOS = ("data=salicon", "profile=small", "phases=truth", "student.weights=none")


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six training and two validation pictures, and an empty workspace as current folder."""
    root = tmp_path / "photos"
    trees.salicon(root, "train", 6)
    trees.salicon(root, "val", 2, first=20)
    (tmp_path / "workspace").mkdir()
    monkeypatch.chdir(tmp_path / "workspace")
    monkeypatch.setenv("FOVEA_DATA_SALICON", str(root))
    monkeypatch.setenv("FOVEA_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setattr("sys.argv", ["prepare"])
    return root


def configure(*overrides: str) -> None:
    tree = compose_raw([*PHOTOS, "data.calibration=4", *overrides], ROOT / "conf")
    Path("params.yaml").write_text(OmegaConf.to_yaml(tree))


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that `prepare` ends with."""
    with pytest.raises(SystemExit) as ended:
        prepare.main()
    assert ended.value.code == 2
    written = {p.name for p in Path("outputs").iterdir()} if Path("outputs").exists() else set()
    assert written <= {".locks"}
    lines = capsys.readouterr().err.splitlines()
    said = [line for line in lines if not line.startswith("prepare: ")]  # progress
    assert len(said) == 1
    assert said[0].startswith("error: ")
    return said[0]


def test_a_sound_data_set_is_prepared(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    prepare.main()
    assert "images: 6 train, 2 val" in capsys.readouterr().out
    assert {p.name for p in Path("outputs/data").iterdir()} == {
        "manifest.json", "train.jsonl", "val.jsonl", "weights.json",
    }  # fmt: skip


def empty(photos: Path) -> None:
    shutil.rmtree(photos)
    photos.mkdir()


def without_fixations(photos: Path) -> None:
    shutil.rmtree(photos / "fixations" / "val")


def truncated(photos: Path) -> None:
    path = photos / "images/train/train_004.jpg"
    path.write_bytes(path.read_bytes()[:-300])


def turned(photos: Path) -> None:
    """Stored on its side, its map as it is stored."""
    exif = Image.Exif()
    exif[0x0112] = 6
    size = (trees.WIDTH, trees.HEIGHT)
    Image.new("RGB", size).save(photos / "images/train/train_001.jpg", exif=exif)
    (photos / "fixations/train/train_001.mat").unlink()
    write_mat(photos / "fixations/train/train_001.mat", "x", size[0], size[1], [])


DAMAGE: list[tuple[Callable[[Path], object], str]] = [
    (shutil.rmtree, "data 'salicon' should lie in PHOTOS, which does not exist; fovea data add"),
    (empty, "data.train: data root PHOTOS is empty; fill it, or give another: fovea data add"),
    (lambda p: shutil.rmtree(p / "images"), "no folder images/train in PHOTOS; layout salicon is"),
    (
        lambda p: shutil.rmtree(p / "maps"),
        "PHOTOS/maps/train, where the maps should be, is missing",
    ),
    (
        without_fixations,
        "PHOTOS/fixations/val, where the fixation files should be, is missing or em",
    ),
    (truncated, "data.train: image PHOTOS/images/train/train_004.jpg is damaged ("),
    (
        turned,
        "train_001.png is 24x32 (height x width), but its image PHOTOS/images/train/train_001",
    ),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGE)
def test_a_data_set_that_cannot_be_used_is_refused(
    photos: Path,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[Path], object],
    message: str,
) -> None:
    damage(photos)
    configure()
    assert message.replace("PHOTOS", str(photos)) in refused(capsys)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.calibration=7", "data.calibration=7, but the train role has 6 images; set data.cal"),
        ("data.train.limit=3", "data.calibration=4, but the train role has 3 images"),
        ("data.calibration=3", "data.calibration is 3, but executorch_int8, litert_int8 needs at"),
        (
            "data.val.layout=pairs",
            "data.val: images/val/val_020.jpg has no fixations, which measur",
        ),
        (
            "data.train.root=salicn",
            "no data called 'salicn' on this computer; did you mean 'salicon'",
        ),
        ("data.val.split=vall", "data.val: no folder images/vall in PHOTOS"),
        ("student.name=fastsal_z", "did you mean 'fastsal_c'?"),
        ("student.weights=imagenet", "no weights called 'imagenet' on this computer; Register it"),
    ],
)
def test_choices_that_do_not_fit_the_data_are_refused(
    photos: Path, capsys: pytest.CaptureFixture[str], override: str, message: str
) -> None:
    configure("export.recipes=[executorch_int8,litert_int8]", override)
    assert message.replace("PHOTOS", str(photos)) in refused(capsys)


def test_what_is_left_out_is_said_once(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(5):
        file = photos / f"fixations/train/train_00{number}.mat"
        write_mat(file, "x", trees.HEIGHT, trees.WIDTH, [np.array([[2, 2], [99, 2]])])
    configure()
    prepare.main()
    said = capsys.readouterr().out
    assert said.count("train: ") == 4
    assert (
        "train_002.mat: 1 of 2 fixations lie outside the image or are no numbers; left out" in said
    )
    assert "train: 2 more such files; fovea data check lists them" in said
