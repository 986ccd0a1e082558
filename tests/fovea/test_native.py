"""The C++ runner: the same numbers as ExecuTorch's own binding, and a way without it."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from fovea.native import build
from fovea.native.build import UnavailableError, library
from fovea.native.runner import NativeRunner
from fovea.predict import runners
from mobile.export import open_runner
from pipeline.errors import UserError
from tests.fovea.conftest import Made, copied
from tests.mobile.tiny import photographs

COMPILER = any(shutil.which(name) for name in ("c++", "g++", "clang++"))
needs_compiler = pytest.mark.skipif(not COMPILER, reason="no C++ compiler here")


@needs_compiler
@pytest.mark.parametrize("recipe", ["executorch_int8", "executorch_fp32"])
def test_it_gives_what_the_binding_gives(recipe: str, made: Made) -> None:
    file = made.file(recipe)
    ours, theirs = NativeRunner(file, 1), open_runner(file, 1)
    assert ours.shape == theirs.shape  # type: ignore[attr-defined]
    for image in photographs(3):
        assert np.array_equal(ours.run(image), theirs.run(image))


@needs_compiler
def test_runners_work_side_by_side(made: Made) -> None:
    file = made.file("executorch_int8")
    images = photographs(8)
    alone = [NativeRunner(file, 1).run(image) for image in images]
    together: dict[int, list[np.ndarray]] = {}
    opened = [NativeRunner(file, 1) for _ in range(4)]

    def work(number: int) -> None:
        together[number] = [opened[number].run(image) for image in images * 5]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for outputs in together.values():
        assert all(np.array_equal(*pair) for pair in zip(outputs, alone * 5, strict=True))


@needs_compiler
def test_a_file_that_is_cut_short_is_refused(made: Made, tmp_path: Path) -> None:
    data = made.file("executorch_int8").read_bytes()
    path = tmp_path / "model.pte"
    for share in (0.01, 0.5, 0.99):
        path.write_bytes(data[: int(share * len(data))])
        with pytest.raises(UserError, match=r"model\.pte.*export it again"):
            NativeRunner(path, 1)


@needs_compiler
def test_an_image_of_another_size_is_refused(made: Made) -> None:
    runner = NativeRunner(made.file("executorch_int8"), 1)
    with pytest.raises(UserError, match="takes float32 RGB 0-255 of shape"):
        runner.run(np.zeros((1, 3, 8, 8), np.float32))
    with pytest.raises(UserError, match="takes float32"):
        runner.run(photographs(1)[0].astype(np.float64))


@needs_compiler
def test_it_is_built_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FOVEA_CACHE", str(tmp_path))
    built = library()
    assert built.is_relative_to(tmp_path)
    before = built.stat().st_mtime_ns
    assert library() == built
    assert built.stat().st_mtime_ns == before
    assert [path.name for path in built.parent.iterdir()] == [built.name]


def test_a_failure_to_compile_is_remembered_and_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    compiler = tmp_path / "broken-c++"
    compiler.write_text("#!/bin/sh\necho x >> $0.runs\necho 'error: not today' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    monkeypatch.setenv("FOVEA_CACHE", str(tmp_path / "cache"))
    for _ in range(2):
        with pytest.raises(UnavailableError, match="not today"):
            library()
    assert Path(f"{compiler}.runs").read_text() == "x\n"


def test_without_a_compiler_the_binding_runs_the_file(
    made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(UnavailableError, match="no C\\+\\+ compiler"):
        library()
    file = made.file("executorch_fp32")
    runner = runners.exported(file, 1)
    assert not isinstance(runner, NativeRunner)
    image = photographs(1)[0]
    assert np.array_equal(runner.run(image), open_runner(file).run(image))


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(build.SWITCH, "0")
    with pytest.raises(UnavailableError, match="FOVEA_NATIVE=0"):
        library()


@needs_compiler
def test_a_name_that_lies_is_refused(made: Made, tmp_path: Path) -> None:
    path = copied(made.file("litert_fp32"), tmp_path / "model.pte")
    with pytest.raises(UserError, match="is not an ExecuTorch program"):
        runners.exported(path, 1)
