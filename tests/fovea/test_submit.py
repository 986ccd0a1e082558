"""`fovea submit` from images to the zip a benchmark takes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.special import logsumexp

from fovea.cli import main
from fovea.predict import model
from fovea.predict.session import load
from pipeline.data.images import read_stored
from pipeline.submission.maps import grey
from tests.fovea.conftest import Made


def photo(path: Path, size: tuple[int, int], seed: int, **options: object) -> None:
    """A photograph of `size` (height, width)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    small = np.random.default_rng(seed).integers(0, 256, (5, 6, 3)).astype(np.uint8)
    Image.fromarray(small).resize(size[::-1], Image.Resampling.BICUBIC).save(path, **options)


def submit(made: Made, benchmark: str, root: Path, out: Path, *more: str) -> int:
    file = str(made.file("litert_fp32"))
    given = [benchmark, "--images", str(root), "-o", str(out), "--model", file, *more]
    return main(["submit", *given])


def shapes(path: Path) -> dict[str, tuple[str | None, str, tuple[int, int]]]:
    """Format, mode and size of every picture in a zip."""
    with zipfile.ZipFile(path) as archive:
        found = {}
        for name in archive.namelist():
            image = Image.open(io.BytesIO(archive.read(name)))
            found[name] = (image.format, image.mode, image.size)
        return found


@pytest.fixture(scope="module")
def mit300(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All 300 names, small pictures of two sizes."""
    root = tmp_path_factory.mktemp("mit300")
    for number in range(1, 301):
        size = (30, 40) if number % 2 else (41, 30)
        photo(root / f"BenchmarkIMAGES/i{number}.jpg", size, number)
    return root


def test_mit300_is_a_map_of_every_image_by_its_name(
    made: Made, mit300: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mit300.zip"
    assert submit(made, "mit300", mit300, out) == 0
    found = shapes(out)
    assert sorted(found) == sorted(f"i{number}.png" for number in range(1, 301))
    assert found["i1.png"] == ("PNG", "L", (40, 30))
    assert found["i300.png"] == ("PNG", "L", (30, 41))
    assert "300 maps, by " in capsys.readouterr().out
    predictor = load(model.find(str(made.file("litert_fp32")), None), 1)[0]
    pixels = read_stored(mit300 / "BenchmarkIMAGES/i7.jpg")
    expected = grey(predictor.shown(predictor.output(pixels)), (30, 40))
    with zipfile.ZipFile(out) as archive:
        np.testing.assert_array_equal(Image.open(io.BytesIO(archive.read("i7.png"))), expected)


def test_an_incomplete_set_is_refused_unless_it_is_meant(
    made: Made, mit300: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out = tmp_path / "some", tmp_path / "some.zip"
    for number in (1, 2, 5):
        photo(root / f"i{number}.jpg", (30, 40), number)
    assert submit(made, "mit300", root, out) == 2
    assert "here are 3: i3, i4, i6, i7, i8 and 292 more missing" in capsys.readouterr().err
    assert not out.exists()
    assert submit(made, "mit300", root, out, "--partial", "--format", "jpg") == 0
    assert shapes(out) == {f"i{n}.jpg": ("JPEG", "L", (40, 30)) for n in (1, 2, 5)}
    assert "3 maps of 300: not a whole submission" in capsys.readouterr().out


def test_the_same_run_makes_the_same_bytes_with_any_number_of_workers(
    made: Made, tmp_path: Path
) -> None:
    for number in range(1, 8):
        photo(tmp_path / f"images/i{number}.jpg", (30, 40), number)
    for workers in ("1", "3"):
        out = tmp_path / f"{workers}.zip"
        more = ("--partial", "--workers", workers, "--blur", "2")
        assert submit(made, "mit300", tmp_path / "images", out, *more) == 0
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "3.zip").read_bytes()


def test_log_densities_are_normalised_arrays(made: Made, tmp_path: Path) -> None:
    photo(tmp_path / "images/i1.jpg", (30, 40), 1)
    out = tmp_path / "densities.zip"
    more = ("--partial", "--log-density", "softmax")
    assert submit(made, "mit300", tmp_path / "images", out, *more) == 0
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == ["i1.npy"]
        density = np.load(io.BytesIO(archive.read("i1.npy")))
    assert density.shape == (30, 40)
    assert abs(logsumexp(density)) < 1e-3


def test_cat2000_keeps_its_folders_and_the_size_as_stored(made: Made, tmp_path: Path) -> None:
    """One of the original's images says by EXIF that it lies on its side; it does not."""
    turned = Image.Exif()
    turned[0x0112] = 6
    stimuli = tmp_path / "testSet/Stimuli"
    photo(stimuli / "Pattern/134.jpg", (1080, 1920), 1, exif=turned)
    photo(stimuli / "Action/101.jpg", (1080, 1920), 2)
    photo(stimuli / "Action/Output/101_SM.jpg", (30, 40), 3)
    out = tmp_path / "cat.zip"
    assert submit(made, "cat2000-test", tmp_path, out, "--partial") == 0
    whole = ("PNG", "L", (1920, 1080))
    assert shapes(out) == {"Action/101.png": whole, "Pattern/134.png": whole}


def test_salicon_maps_are_png_of_the_images_names(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "COCO_test2014_000000000001"
    photo(tmp_path / f"images/test/{name}.jpg", (480, 640), 1)
    out = tmp_path / "salicon.zip"
    assert submit(made, "salicon-test", tmp_path, out, "--partial") == 0
    assert shapes(out) == {f"{name}.png": ("PNG", "L", (640, 480))}
    photo(tmp_path / "images/test/COCO_test2014_000000000002.jpg", (240, 320), 2)
    before = out.read_bytes()
    assert submit(made, "salicon-test", tmp_path, out, "--partial") == 2
    said = capsys.readouterr().err
    assert "002.jpg is 240x320 (height x width), but images of salicon-test are 480x640" in said
    assert out.read_bytes() == before


MISTAKES = [
    (("mit301",), "BENCHMARK='mit301' is not known; did you mean 'mit300'?"),
    (("mit300", "--blur", "-1"), "--blur -1.0: give 0 or more pixels"),
    (("salicon-test", "--format", "jpg"), "salicon-test takes png, not jpg"),
    (("salicon-test", "--log-density", "softmax"), "takes maps, no log-densities"),
    (("mit300", "--log-density", "softmax", "--format", "png"), "--log-density writes .npy"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_is_named(
    arguments: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.zip"
    assert main(["submit", *arguments, "--images", str(tmp_path), "-o", str(out)]) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_a_damaged_image_leaves_nothing(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo(tmp_path / "images/i1.jpg", (30, 40), 1)
    (tmp_path / "images/i2.jpg").write_bytes(b"no picture")
    out = tmp_path / "a.zip"
    assert submit(made, "mit300", tmp_path / "images", out, "--partial") == 2
    assert "i2.jpg is not an image" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".zip"] == []
