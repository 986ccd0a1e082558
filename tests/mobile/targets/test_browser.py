"""LiteRT.js in a real headless Chromium, where both can be had."""

from __future__ import annotations

import json
import os
import tempfile
import urllib.error
import urllib.request
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import psutil
import pytest

from fovea.cli import main
from mobile.backend import Array
from mobile.latency_row import read_lines
from mobile.targets import get, names
from mobile.targets.browser import Browser, install
from mobile.targets.browser.chromium import ran
from mobile.targets.browser.server import ISOLATED, Job, serving
from mobile.targets.check import check
from mobile.targets.registry import RefusedError
from mobile.targets.timed import timed
from mobile.timing import Plan
from pipeline.errors import UserError
from tests.mobile.conftest import Export

PIXELS = np.zeros((1, 2, 2, 3), np.float32)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOVEA_CACHE", str(folder))
        if install.chromium() is None:
            pytest.skip("chromium is not installed")
        try:
            install.install()
        except UserError as error:
            pytest.skip(f"LiteRT.js cannot be had here: {error}")
    return folder


@pytest.fixture
def browser(home: Path, monkeypatch) -> Browser:
    monkeypatch.setenv("FOVEA_CACHE", str(home))
    return Browser()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    packages = tmp_path / "packages"
    (packages / "core").mkdir(parents=True)
    (packages / "core" / "index.js").write_text("let x;")
    (packages / "core" / "secret").write_text("not of a served type")
    (tmp_path / "outside.js").write_text("let y;")
    return Job(packages, b"TFL3", [PIXELS, PIXELS + 1], threads=1)


@pytest.mark.parametrize("recipe", ["litert_fp32", "litert_int8"])
def test_files_compute_alike(
    recipe: str, browser: Browser, exports: dict[str, Export], images: list[Array]
) -> None:
    found = check(browser, exports[recipe].file, images[:3])
    assert found.runs, found.refused
    assert found.alike
    assert found.images == 3


@pytest.mark.parametrize("threads", [1, 2])
def test_runs_are_timed_with_the_threads_asked_for(
    threads: int, browser: Browser, exports: dict[str, Export], images: list[Array]
) -> None:
    plan = Plan(warmups=1, repeats=2, iterations=4)
    measured, place = timed(browser).time(exports["litert_fp32"].file, images[0], threads, plan)
    assert [len(times) for times in measured.timing.samples_ms] == [4, 4]
    assert min(map(min, measured.timing.samples_ms)) > 0
    assert (place.source, place.runtime) == ("browser", "litertjs")
    assert place.os.startswith("Chromium")


def test_a_file_it_does_not_take_is_told_in_its_words(browser: Browser, tmp_path: Path) -> None:
    damaged = Job(install.packages(), b"TFL3 and nothing more", [PIXELS], threads=1)
    with pytest.raises(RefusedError) as refused:
        ran(str(install.chromium()), damaged, 60)
    assert str(refused.value)


def test_bench_writes_rows_of_the_browser(
    home: Path, exports: dict[str, Export], monkeypatch, tmp_path: Path, capsys
) -> None:
    monkeypatch.setenv("FOVEA_CACHE", str(home))
    monkeypatch.setenv("FOVEA_HISTORY", str(tmp_path / "history.jsonl"))
    file, rows = exports["litert_fp32"].file, tmp_path / "rows.jsonl"
    quick = ["--warmups", "1", "--repeats", "2", "--iterations", "3", "--threads", "1"]
    status = main(["bench", str(file), "--on", "browser", "--json", str(rows), *quick])
    assert status == 0, capsys.readouterr().err
    (row,) = read_lines(rows)
    assert (row.source, row.threads, row.iterations) == ("browser", 1, 3)
    assert row.recipe == "litert_fp32"


def test_a_target_that_only_computes_is_not_timed(exports: dict[str, Export], capsys) -> None:
    assert main(["bench", str(exports["litert_fp32"].file), "--on", "oldest"]) == 2
    assert "oldest is never timed" in capsys.readouterr().err


def test_only_files_that_it_runs_are_taken(exports: dict[str, Export], browser, capsys) -> None:
    assert main(["bench", str(exports["executorch_fp32"].file), "--on", "browser"]) == 2
    assert "browser runs .tflite" in capsys.readouterr().err


def get_from(address: str, path: str) -> tuple[int, bytes, dict[str, str]]:
    """As sent, without a client's own tidying of the path."""
    host = address.removeprefix("http://").strip("/")
    connection = HTTPConnection(host, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read(), dict(answer.getheaders())


def test_the_page_is_isolated_and_gets_model_and_inputs(job: Job) -> None:
    with serving(job) as (address, _):
        status, page, headers = get_from(address, "/")
        assert status == 200
        assert b"importmap" in page
        assert ISOLATED.items() <= headers.items()
        assert get_from(address, "/model")[1] == b"TFL3"
        assert get_from(address, "/images/1")[1] == (PIXELS + 1).tobytes()
        told = json.loads(get_from(address, "/job.json")[1])
        assert told["shape"] == [1, 2, 2, 3]
        assert told["dtype"] == "float32"
        assert get_from(address, "/package/core/index.js")[1] == b"let x;"


@pytest.mark.parametrize(
    "path",
    ["/package/../outside.js", "/package/core/../../outside.js", "/package//etc/hostname",
     "/package/core/secret", "/package/core", "/images/2", "/images/-1", "/server.py", "/other"],
)  # fmt: skip
def test_nothing_else_is_served(path: str, job: Job) -> None:
    with serving(job) as (address, _):
        assert get_from(address, path)[0] == 404


def test_answers_are_taken_and_others_refused(job: Job) -> None:
    with serving(job) as (address, answers):
        values = np.arange(3, dtype=np.float32)
        urllib.request.urlopen(f"{address}outputs/0", values.tobytes()).close()
        np.testing.assert_array_equal(answers.outputs[0], values)
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{address}elsewhere", b"{}")


def script(folder: Path, text: str) -> str:
    path = folder / "browser"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def left_over(mark: str) -> list[str]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if mark in line and process.pid != os.getpid():
            found.append(line)
    return found


def test_a_browser_that_ends_by_itself_is_told(job: Job, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"ended by itself \(status 7\)"):
        ran(script(tmp_path, "exit 7"), job, 20)


def test_one_that_does_not_answer_is_ended_and_leaves_nothing(
    job: Job, tmp_path: Path, monkeypatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with pytest.raises(UserError, match="did not answer within 1 s"):
        ran(script(tmp_path, "sleep 4711"), job, 1)
    assert list(temporary.iterdir()) == []
    assert left_over("sleep 4711") == []


def test_what_is_missing_is_said(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FOVEA_CACHE", str(tmp_path))
    monkeypatch.setenv("FOVEA_CHROMIUM", "/nowhere/chromium")
    assert "FOVEA_CHROMIUM" in (Browser().refusal() or "")
    monkeypatch.setenv("FOVEA_CHROMIUM", "sh")
    assert "fovea target setup browser" in (Browser().refusal() or "")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="npm is not on PATH"):
        Browser().setup()
    assert list(tmp_path.iterdir()) == []


def test_it_is_a_target_by_name() -> None:
    assert "browser" in names()
    assert get("browser").suffixes == (".tflite",)
