"""Folders of photographs: every result its own place, a broken one stops nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from fovea.cli import main
from fovea.predict.inputs import photos
from pipeline.errors import UserError
from tests.fovea.conftest import Made, copied, photo
from tests.fovea.test_predict import predict

ROOT = Path(__file__).resolve().parents[2]


def results(out: Path) -> list[str]:
    """Names of all results below `out`."""
    return sorted(
        path.relative_to(out).as_posix()
        for path in out.rglob("*")
        if path.is_file() and path.name != "predict.json"
    )


def both(*places: str) -> list[str]:
    return sorted(place + end for place in places for end in (".overlay.jpg", ".map.png"))


def test_a_folder_keeps_its_folders(made: Made, tmp_path: Path) -> None:
    for name in ("one.jpg", "deep/er/two.PNG", ".hidden/three.jpg", "._four.jpg"):
        photo(tmp_path / "in" / name)
    (tmp_path / "in" / "notes.txt").write_text("no photograph")
    out = tmp_path / "in" / "out"
    for _ in range(2):  # the second time, results lie among the photographs
        assert predict(tmp_path / "in", "-o", out, "--model", made.bundle) == 0
        assert results(out) == both("one", "deep/er/two")
    assert predict(tmp_path / "in", "-o", tmp_path / "in", "--model", made.bundle) == 0
    found = [item.path.name for item in photos([tmp_path / "in"], tmp_path / "elsewhere")]
    assert found == ["one.jpg", "two.PNG"]


@pytest.mark.parametrize(
    ("names", "given", "places"),
    [
        (["a/x.jpg", "b/x.jpg"], ["a", "b"], ["a/x.jpg", "b/x.jpg"]),
        (["a/x.jpg", "b/x.jpg"], ["a/x.jpg", "b/x.jpg"], ["a/x.jpg", "b/x.jpg"]),
        (["a/x.jpg", "b/x.jpg"], ["."], ["a/x", "b/x"]),
        (["x.jpg", "x.png"], ["."], ["x.jpg", "x.png"]),
        (["x.jpg", "X.png"], ["."], ["X.png", "x.jpg"]),
        (["a/x.jpg"], ["a/x.jpg", "a", "a/../a/x.jpg"], ["x"]),
        (["x.jpg", "x.png", "x.jpg.tif"], ["."], ["x.jpg", "x.jpg.tif", "x.png"]),
        (["x.jpg", "X.jpg"], ["."], ["X.jpg~1", "x.jpg~2"]),
    ],
)
def test_no_two_results_have_one_place(
    names: list[str], given: list[str], places: list[str], tmp_path: Path
) -> None:
    for name in names:
        photo(tmp_path / name)
    found = photos([tmp_path / name for name in given], tmp_path / "out")
    assert sorted(item.place.as_posix() for item in found) == places
    assert len({item.path.resolve() for item in found}) == len(names)


def test_broken_photographs_are_told_of_and_the_others_done(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = [photo(tmp_path / "in" / f"{n}.jpg", seed=n) for n in range(4)]
    data = whole[0].read_bytes()
    (tmp_path / "in" / "cut.jpg").write_bytes(data[: len(data) // 2])
    (tmp_path / "in" / "empty.png").write_bytes(b"")
    (tmp_path / "in" / "text.jpg").write_text("no photograph")
    assert predict(tmp_path / "in", "-o", tmp_path / "out", "--model", made.bundle) == 1
    assert results(tmp_path / "out") == both("0", "1", "2", "3")
    said = capsys.readouterr()
    for name in ("cut.jpg", "empty.png", "text.jpg"):
        assert sum(name in line for line in said.err.splitlines()) == 1
    assert "4 photos done" in said.out


def test_workers_change_nothing_but_time(made: Made, tmp_path: Path) -> None:
    for number in range(6):
        photo(tmp_path / "in" / f"{number}.jpg", seed=number)
    for workers in (1, 3):
        out = tmp_path / str(workers)
        assert (
            predict(tmp_path / "in", "-o", out, "--workers", workers, "--model", made.bundle) == 0
        )
    assert results(tmp_path / "1") == results(tmp_path / "3")
    for name in results(tmp_path / "1"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes()


def test_resume_makes_what_is_missing_or_older_than_its_photograph(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = [photo(tmp_path / "in" / f"{n}.jpg", seed=n) for n in range(3)]
    out = tmp_path / "out"
    run = [tmp_path / "in", "-o", out, "--model", made.bundle, "--resume"]
    assert predict(*run) == 0
    written = {name: (out / name).stat().st_mtime_ns for name in results(out)}
    (out / "0.map.png").unlink()
    os.utime(images[1], (time.time() + 60, time.time() + 60))
    assert predict(*run) == 0
    assert "2 photos done, 1 were there already" in capsys.readouterr().out
    assert results(out) == sorted(written)
    kept = {name for name, when in written.items() if (out / name).stat().st_mtime_ns == when}
    assert kept == set(both("2"))


def test_resume_refuses_to_mix_two_models(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = photo(tmp_path / "dog.jpg")
    assert predict(image, "-o", tmp_path / "out", "--model", made.file("executorch_int8")) == 0
    before = (tmp_path / "out" / "dog.map.png").read_bytes()
    other = ["--model", made.file("litert_fp32")]
    assert predict(image, "-o", tmp_path / "out", *other, "--resume") == 2
    assert "made differently (model was tiny executorch" in capsys.readouterr().err
    assert (tmp_path / "out" / "dog.map.png").read_bytes() == before
    assert predict(image, "-o", tmp_path / "out", *other) == 0


def test_a_place_that_cannot_be_written_stops_the_run(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        photo(tmp_path / "in" / "sub" / f"{number}.jpg")
    out = tmp_path / "out"
    out.mkdir()
    (out / "sub").write_text("a file where a folder must be")
    assert predict(tmp_path / "in", "-o", out, "--model", made.bundle) == 2
    assert "could not write" in capsys.readouterr().err
    assert results(out) == ["sub"]


def test_ctrl_c_leaves_whole_files_and_resume_goes_on(made: Made, tmp_path: Path) -> None:
    first = photo(tmp_path / "in" / "0.jpg", 480, 640)
    for number in range(1, 1000):
        copied(first, tmp_path / "in" / f"{number}.jpg")
    out = tmp_path / "out"
    arguments = ["predict", str(tmp_path / "in"), "-o", str(out), "--model", str(made.bundle)]
    running = subprocess.Popen(
        [sys.executable, "-m", "fovea", *arguments],
        cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not out.is_dir() or len(list(out.glob("*.map.png"))) < 10:
        assert running.poll() is None, running.communicate()
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said.rstrip().endswith("with --resume goes on")
    assert "Traceback" not in said
    names = results(out)
    assert 20 <= len(names) < 2000
    assert not [name for name in names if Path(name).name.startswith(".")]
    for name in names:
        with Image.open(out / name) as image:
            image.load()
    assert main([*arguments, "--resume"]) == 0
    assert results(out) == both(*map(str, range(1000)))


def test_nothing_to_do_is_done_at_once(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        photo(tmp_path / "in" / f"{number}.jpg")
    run = [tmp_path / "in", "-o", tmp_path / "out", "--model", made.bundle]
    assert predict(*run) == 0
    assert predict(*run, "--resume") == 0
    assert "0 photos done, 2 were there already" in capsys.readouterr().out


def test_a_folder_without_photographs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no photograph"):
        photos([tmp_path], tmp_path / "out")
