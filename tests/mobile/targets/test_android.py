"""A phone on adb: a stand-in for the `adb` program, real runner, real ExecuTorch, real files."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fovea.cli import main
from mobile.backend import Array
from mobile.latency_row import read_lines
from mobile.targets import get
from mobile.targets.android import Android, adb, kits, session
from mobile.targets.check import check
from mobile.targets.registry import RefusedError
from mobile.timing import Plan
from pipeline.errors import UserError
from tests.conftest import ROOT
from tests.mobile.conftest import Export

QUICK = Plan(warmups=1, repeats=2, iterations=3, least_iterations=1)
STANDIN = Path(__file__).with_name("adb_standin.py")
LIBRARIES = ("executorch", "executorch_backend_xnnpack", "executorch_kernels_optimized",
             "executorch_threadpool")  # fmt: skip
State = Callable[..., None]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner for `.pte`, built for this machine against the installed ExecuTorch."""
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler is installed")
    spec = importlib.util.find_spec("executorch")
    assert spec is not None
    package = Path(next(iter(spec.submodule_search_locations or ())))
    place, cache = tmp_path_factory.mktemp("executorch"), tmp_path_factory.mktemp("cache")
    (place / "include").symlink_to(package / "include")
    (place / "lib").mkdir()
    for name in LIBRARIES:
        (library,) = (package / "lib").glob(f"lib{name}.so")
        (place / "lib" / library.name).symlink_to(library)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOVEA_CACHE", str(cache))
        kits.made(kits.KITS[".pte"], compiler, place, [])
    return cache


@pytest.fixture
def state(built: Path, tmp_path: Path, monkeypatch) -> State:
    """Puts the stand-in on PATH; called with what is different on its phones."""
    home, binaries = tmp_path / "phone", tmp_path / "bin"
    (home / "fs").mkdir(parents=True)
    binaries.mkdir()
    program = binaries / "adb"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {STANDIN} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FOVEA_STANDIN", str(home))
    monkeypatch.setenv("FOVEA_CACHE", str(built))
    monkeypatch.delenv(adb.SERIAL, raising=False)
    monkeypatch.setattr(session, "_LOOK_EVERY_SECONDS", 0.01)

    def put(**changed: Any) -> None:
        (home / "state.json").write_text(json.dumps(changed))

    put()
    return put


@pytest.fixture
def left(tmp_path: Path) -> Callable[[], list[Path]]:
    """What is on the phone."""
    return lambda: sorted((tmp_path / "phone" / "fs").rglob("*"))


def commands(tmp_path: Path) -> list[list[str]]:
    return [json.loads(line) for line in (tmp_path / "phone" / "log").read_text().splitlines()]


def test_a_file_on_the_phone_computes_what_it_computes_here(
    state: State, exports: dict[str, Export], images: list[Array], left: Callable[[], list[Path]]
) -> None:
    found = check(Android(), exports["executorch_fp32"].file, images[:2])
    assert found.alike
    assert (found.runs, found.images) == (True, 2)
    assert left() == []


def test_runs_are_timed_repeat_by_repeat(
    state: State, exports: dict[str, Export], images: list[Array], left: Callable[[], list[Path]],
    tmp_path: Path,
) -> None:  # fmt: skip
    measured, place = Android().time(exports["executorch_fp32"].file, images[0], 1, QUICK)
    assert [len(times) for times in measured.timing.samples_ms] == [3, 3]
    assert measured.timing.load_ms > 0
    assert (measured.peak_memory_bytes or 0) > (measured.baseline_memory_bytes or 0) > 0
    assert (measured.timing.temperature_c, measured.timing.thermal_timed_out) == (31.0, False)
    assert place.device == "Acme One (AC8000)"
    assert (place.os, place.source) == ("Android 15 (API 35)", "device")
    assert "R58M123" not in repr(place), "a phone's own number stays out of rows"
    assert left() == []


def test_bench_writes_rows_of_the_phone(
    state: State, exports: dict[str, Export], tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("FOVEA_HISTORY", str(tmp_path / "history.jsonl"))
    rows = tmp_path / "rows.jsonl"
    quick = ["--warmups", "1", "--repeats", "2", "--iterations", "3", "--threads", "1"]
    file = str(exports["executorch_fp32"].file)
    assert main(["bench", file, "--on", "android", "--json", str(rows), *quick]) == 0
    (row,) = read_lines(rows)
    assert (row.source, row.runtime, row.recipe) == ("device", "executorch", "executorch_fp32")


def test_an_emulator_is_called_one(
    state: State, exports: dict[str, Export], images: list[Array]
) -> None:
    from tests.mobile.targets import adb_standin

    state(properties=adb_standin.SOUND["properties"] | {"ro.boot.qemu": "1"})
    assert (
        Android().time(exports["executorch_fp32"].file, images[0], 1, QUICK)[1].source == "emulator"
    )


def test_the_phone_named_is_the_one_that_is_asked(
    state: State, exports: dict[str, Export], images: list[Array], tmp_path: Path, monkeypatch
) -> None:
    state(phones={"AAA": "unauthorized", "BBB": "device"})
    monkeypatch.setenv(adb.SERIAL, "BBB")
    Android().outputs(exports["executorch_fp32"].file, images[:1])
    asked = {c[1] for c in commands(tmp_path) if c[0] == "-s"}
    assert asked == {"BBB"}


REFUSED = [
    ({"phones": {}}, "no phone is attached"),
    ({"phones": {"AAA": "unauthorized"}}, "has not allowed this computer"),
    ({"phones": {"AAA": "offline"}}, "does not answer"),
    ({"phones": {"AAA": "device", "BBB": "device"}}, "ANDROID_SERIAL: AAA, BBB"),
    ({"version": "1.0.32"}, "adb 1.0.32 is too old"),
    ({"free_kb": 900}, "the phone has 1 MiB free"),
    ({"full": True}, "the phone's storage is full"),
    ({"cut_short": "model.pte"}, "model.pte arrived damaged"),
    ({"properties": {"ro.product.cpu.abi": "armeabi-v7a"}}, "the phone runs armeabi-v7a"),
    ({"runner": {"status": 139, "err": "Segmentation fault"}}, "status 139 on the phone: Segment"),
    ({"runner": {"status": 0, "out": "WARNING: linker\nnonsense"}}, "answer is not understood"),
    ({"runner": {"status": 255}}, "the phone has gone"),
]


@pytest.mark.parametrize(("changed", "message"), REFUSED)
def test_what_goes_wrong_is_told_in_one_line_and_nothing_is_left(
    changed: dict[str, Any], message: str, state: State, exports: dict[str, Export],
    images: list[Array], left: Callable[[], list[Path]],
) -> None:  # fmt: skip
    state(**changed)
    with pytest.raises(UserError) as caught:
        Android().time(exports["executorch_fp32"].file, images[0], 1, QUICK)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert left() == []


def test_a_model_that_the_runtime_does_not_take_is_a_refusal(
    state: State, exports: dict[str, Export], images: list[Array], left: Callable[[], list[Path]]
) -> None:
    state(runner={"status": 3, "err": "the runtime does not take the model (its error 35)"})
    with pytest.raises(RefusedError, match="its error 35"):
        Android().outputs(exports["executorch_fp32"].file, images[:1])
    assert left() == []


def test_unplugged_at_any_moment(
    state: State, exports: dict[str, Export], images: list[Array], tmp_path: Path
) -> None:
    file = exports["executorch_fp32"].file
    Android().time(file, images[0], 1, QUICK)
    whole = len(commands(tmp_path))
    for after in range(2, whole - 1, 5):
        (tmp_path / "phone" / "log").unlink()
        state(unplugged_after=after)
        with pytest.raises(UserError, match=r"the phone has gone|no phone is attached"):
            Android().time(file, images[0], 1, QUICK)


def test_a_folder_that_stays_behind_is_named(
    state: State, exports: dict[str, Export], images: list[Array]
) -> None:
    state(unplugged_after=12)
    with pytest.raises(UserError, match=r"/data/local/tmp/fovea-\w+ may still be on it"):
        Android().time(exports["executorch_fp32"].file, images[0], 1, QUICK)


@pytest.mark.parametrize(
    ("readings", "seconds", "kept"),
    [
        ([44.0, 41.0, 36.0], 30.0, (36.0, False)),
        ([44.0], 0.05, (44.0, True)),
        ([], 30.0, (31.2, False)),
    ],
)
def test_a_hot_phone_is_waited_for_and_what_came_of_it_recorded(
    readings: list[float], seconds: float, kept: tuple[float, bool], state: State,
    exports: dict[str, Export], images: list[Array],
) -> None:  # fmt: skip
    state(temperatures=readings)
    plan = Plan(warmups=0, repeats=1, iterations=1, least_iterations=1, cool_seconds=seconds)
    timing = Android().time(exports["executorch_fp32"].file, images[0], 1, plan)[0].timing
    assert (timing.temperature_c, timing.thermal_timed_out) == kept


def test_an_adb_that_hangs_is_given_up(state: State, monkeypatch) -> None:
    state(hangs=True)
    with pytest.raises(UserError, match="did not answer within 1 s"):
        adb._call([str(adb.program()), "devices"], 1)


def test_ctrl_c_leaves_nothing_on_the_phone(
    state: State, exports: dict[str, Export], left: Callable[[], list[Path]], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "fovea", "bench", str(exports["executorch_fp32"].file)]
    many = ["--on", "android", "--iterations", "100000", "--threads", "1"]
    process = subprocess.Popen(
        [*command, *many], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not any("./runner" in " ".join(c) for c in commands_so_far(tmp_path)):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert left() == []


def commands_so_far(tmp_path: Path) -> list[list[str]]:
    return commands(tmp_path) if (tmp_path / "phone" / "log").exists() else []


def test_the_runner_for_tflite_compiles(tmp_path: Path) -> None:
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler is installed")
    source = str(kits.KITS[".tflite"].source)
    subprocess.run(
        [compiler, "-std=c++17", "-Wall", "-Wextra", "-Werror", "-c", source, "-o",
         str(tmp_path / "tflite.o")], check=True,
    )  # fmt: skip


def test_setting_up_says_what_is_missing(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("FOVEA_CACHE", str(tmp_path))
    monkeypatch.delenv(kits.NDK, raising=False)
    with pytest.raises(UserError, match=f"{kits.NDK} is not set"):
        Android().setup()
    monkeypatch.setenv(kits.NDK, str(tmp_path))
    with pytest.raises(UserError, match="holds no compiler for arm64"):
        Android().setup()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("ANDROID_HOME", raising=False)
    assert "adb is not on PATH" in (get("android").refusal() or "")


@pytest.mark.device
@pytest.mark.skipif(Android().refusal() is not None, reason=f"no phone: {Android().refusal()}")
def test_a_real_phone_computes_alike(exports: dict[str, Export], images: list[Array]) -> None:
    found = check(Android(), exports["executorch_fp32"].file, images[:1])
    assert found.alike
