"""`fovea predict` through pipes, and on pictures that move."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.fovea.conftest import Made, command, photo, pixels
from tests.fovea.test_predict import expected, predict, sigmoid
from tests.fovea.test_predict_many import both, results

NO_OPENCV = importlib.util.find_spec("cv2") is None


def film(path: Path, frames: int = 6) -> Path:
    pictures = [Image.fromarray(pixels(40, 60, seed)) for seed in range(frames)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], lossless=True)
    return path


def test_a_picture_through_a_pipe_becomes_an_overlay(made: Made, tmp_path: Path) -> None:
    image = photo(tmp_path / "dog.jpg", 50, 70)
    model = ["--model", made.file("executorch_fp32")]
    done = command("predict", "-", *model, data=image.read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    with Image.open(io.BytesIO(done.stdout)) as overlay:
        assert (overlay.format, overlay.mode, overlay.size) == ("PNG", "RGB", (70, 50))
    assert command("predict", image, "-o", "-", *model).stdout == done.stdout


def test_the_raw_map_and_the_logits_through_a_pipe(made: Made, tmp_path: Path) -> None:
    image, file = photo(tmp_path / "dog.png", 50, 70), made.file("executorch_fp32")
    run = ["predict", "-", "--model", file]
    raw = command(*run, "--raw", data=image.read_bytes()).stdout
    levels = np.asarray(Image.open(io.BytesIO(raw)))
    logits = expected(file, image)
    assert levels.dtype == np.uint16
    from pipeline.data.resize import resize

    assert np.abs(levels - 65535 * resize(sigmoid(logits), 50, 70)).max() <= 1
    output = command(*run, "--npy", data=image.read_bytes()).stdout
    assert np.array_equal(np.load(io.BytesIO(output)), logits)


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "standard input is empty"), (b"text", "standard input is not an image")],
)
def test_what_is_no_picture_gives_no_output(data: bytes, message: str, made: Made) -> None:
    done = command("predict", "-", "--model", made.bundle, data=data)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()


def test_stdin_can_go_to_a_folder_with_others(made: Made, tmp_path: Path) -> None:
    image = photo(tmp_path / "dog.jpg")
    done = command(
        "predict", "-", image, "-o", tmp_path / "out", "--model", made.bundle,
        data=image.read_bytes(),
    )  # fmt: skip
    assert done.returncode == 0
    assert results(tmp_path / "out") == both("dog", "stdin")
    maps = [(tmp_path / "out" / f"{name}.map.png").read_bytes() for name in ("dog", "stdin")]
    assert maps[0] == maps[1]


def test_stdout_takes_one_picture(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = photo(tmp_path / "dog.jpg")
    assert predict(image, image, "-o", "-", "--model", made.bundle) == 2
    assert predict(tmp_path, "-o", "-", "--model", made.bundle) == 2
    assert capsys.readouterr().err.count("standard output takes one picture") == 2


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_every_nth_frame_of_an_animation(kind: str, made: Made, tmp_path: Path) -> None:
    clip, out = film(tmp_path / f"clip.{kind}"), tmp_path / "out"
    run = [clip, "-o", out, "--model", made.bundle]
    assert predict(*run, "--every", 2) == 0
    assert results(out) == both("clip/000000", "clip/000002", "clip/000004")
    assert predict(*run, "--frames", 2) == 0
    assert results(out) == both("clip/000000", "clip/000001", "clip/000002", "clip/000004")


def test_a_still_webp_is_a_photograph(made: Made, tmp_path: Path) -> None:
    image = photo(tmp_path / "still.webp")
    assert predict(image, "-o", tmp_path / "out", "--model", made.bundle) == 0
    assert results(tmp_path / "out") == both("still")


def test_a_damaged_film_is_told_of_and_the_frames_before_it_are_kept(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip, out = film(tmp_path / "clip.gif"), tmp_path / "out"
    data = clip.read_bytes()
    clip.write_bytes(data[: len(data) * 2 // 3])
    assert predict(clip, "-o", out, "--model", made.bundle) == 2
    assert "clip.gif is damaged" in capsys.readouterr().err
    assert set(both("clip/000000")) <= set(results(out))


@pytest.mark.skipif(not NO_OPENCV, reason="OpenCV is installed here")
@pytest.mark.parametrize("source", [["{tmp}/clip.mp4"], ["--webcam", "0"]])
def test_films_and_cameras_name_what_they_need(
    source: list[str], made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"film")
    given = [part.format(tmp=tmp_path) for part in source]
    assert predict(*given, "-o", tmp_path / "out", "--model", made.bundle) == 2
    assert "pip install opencv-python-headless" in capsys.readouterr().err


@pytest.mark.skipif(NO_OPENCV, reason="needs OpenCV, which is optional")
def test_a_film_is_read_through_opencv(made: Made, tmp_path: Path) -> None:
    import cv2

    clip = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for seed in range(4):
        writer.write(cv2.cvtColor(pixels(48, 64, seed), cv2.COLOR_RGB2BGR))
    writer.release()
    assert predict(clip, "-o", tmp_path / "out", "--model", made.bundle, "--every", 3) == 0
    assert results(tmp_path / "out") == both("clip/000000", "clip/000003")
