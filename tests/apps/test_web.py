"""The web app: typed, tested, built, small, and driven in a real headless Chromium."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import students
from mobile.latency_row import read_lines
from mobile.manifest import read_manifest
from mobile.targets.browser import install as chromium
from tests.apps import web_given
from tests.conftest import ROOT

APP = ROOT / "mobile/apps/web"
LARGEST = 150_000
"""Bytes of page and code as a server sends them, without runtime and bundles."""
SOFTWARE = "WebGPU where Chromium makes one of software"
PARTS = ("app", "camera", "offline", "photos", "problems")


@dataclass(frozen=True)
class Results:
    """What vitest said: the status of each test by its file and full name."""

    found: dict[str, dict[str, str]]

    def of(self, name: str) -> dict[str, str]:
        return next(tests for path, tests in self.found.items() if Path(path).name == name)


@pytest.fixture(scope="session")
def npm() -> str:
    """npm with the app's packages installed as the lock file says."""
    program = shutil.which("npm")
    if program is None:
        pytest.skip("npm is not installed")
    lock = hashlib.sha256((APP / "package-lock.json").read_bytes()).hexdigest()
    mark = APP / "node_modules/.fovea-lock"
    if not mark.is_file() or mark.read_text() != lock:
        run(program, "ci")
        mark.write_text(lock)
    return program


@pytest.fixture(scope="session")
def built(npm: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("web") / "dist"
    run(npm, "run", "build", "--", "--outDir", str(folder), "--emptyOutDir")
    return folder


@pytest.fixture(scope="session")
def given(bundles: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("given")
    web_given.write(folder, bundles)
    return folder


@pytest.fixture(scope="session")
def driven(npm: str, built: Path, given: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Every end-to-end test, run once in Chromium."""
    program = chromium.chromium()
    if program is None:
        pytest.skip("chromium is not installed")
    report = tmp_path_factory.mktemp("driven") / "report.json"
    environment = {"FOVEA_DIST": built, "FOVEA_E2E": given, "FOVEA_CHROMIUM": program}
    return results_of(npm, "e2e", report, {name: str(path) for name, path in environment.items()})


def run(*command: str, env: dict[str, str] | None = None, check: bool = True) -> str:
    done = subprocess.run(
        command, cwd=APP, env={**os.environ, **(env or {})}, capture_output=True, text=True,
        check=False, timeout=800,
    )  # fmt: skip
    said = done.stdout[-4000:] + done.stderr[-4000:]
    assert done.returncode == 0 or not check, f"{command}\n{said}"
    return said


def results_of(npm: str, script: str, report: Path, env: dict[str, str] | None = None) -> Results:
    reporters = ("--reporter=json", f"--outputFile={report}")
    said = run(npm, "run", script, "--", *reporters, env=env, check=False)
    assert report.is_file(), said
    found: dict[str, dict[str, str]] = {}
    for file in json.loads(report.read_text())["testResults"]:
        each = {one["fullName"]: described(one) for one in file["assertionResults"]}
        found[file["name"]] = each or {"the file itself": file.get("message", "did not run")}
    return Results(found)


def described(test: dict[str, Any]) -> str:
    return "\n".join([test["status"], *test["failureMessages"]])


def failed(tests: dict[str, str]) -> dict[str, str]:
    """Those that did not pass; none may be left out but where it says what Chromium lacks."""
    return {
        name: status
        for name, status in tests.items()
        if status != "passed" and not (SOFTWARE in name and status == "skipped")
    }


def test_types_are_right(npm: str) -> None:
    run(npm, "run", "check")


def test_every_vector_of_the_contract_is_reproduced(npm: str, tmp_path: Path) -> None:
    tests = results_of(npm, "test", tmp_path / "report.json")
    assert {name: failed(each) for name, each in tests.found.items() if failed(each)} == {}
    names = "\n".join(name for each in tests.found.values() for name in each)
    vectors = json.loads((APP / "../vectors/vectors.json").read_text())
    for kind, key in (
        ("resize", "input"), ("maps", "input"), ("heat", "input"), ("classes", "input"),
        ("cutout", "photo"), ("correlation", "a"), ("manifests", "folder"),
    ):  # fmt: skip
        for case in vectors[kind]:
            assert case[key] in names
    assert names.count("upright by orientation") == len(vectors["upright"])
    assert names.count("tensor as") == len(vectors["tensors"])
    assert names.count("medians of repeats") == len(vectors["times"])


def test_page_and_code_are_small(built: Path) -> None:
    files = [path for path in built.rglob("*") if path.suffix in {".html", ".css", ".js", ".svg"}]
    own = [path for path in files if "litert" not in path.parts and "bundles" not in path.parts]
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 6)) for path in own}
    assert "index.html" in sizes
    assert len(sizes) >= 5, sizes  # page, code, worker, service worker, style
    assert sum(sizes.values()) <= LARGEST, sizes


def test_the_runtime_lies_beside_the_page(built: Path) -> None:
    package = APP / "node_modules/@litertjs/core/wasm"
    names = {path.name for path in package.iterdir()}
    assert names == {path.name for path in (built / "litert").iterdir()}
    assert "__FILES__" not in (built / "sw.js").read_text()


@pytest.mark.parametrize("part", PARTS)
def test_in_chromium(part: str, driven: Results) -> None:
    tests = driven.of(f"{part}.e2e.ts")
    assert tests
    assert failed(tests) == {}


def test_every_end_to_end_test_is_among_those(driven: Results) -> None:
    assert {Path(path).name for path in driven.found} == {f"{part}.e2e.ts" for part in PARTS}


def test_its_times_are_rows_of_the_project(driven: Results, given: Path) -> None:
    rows = read_lines(given / "rows.jsonl")
    content = read_manifest(given / "bundles" / rows[0].student)
    assert {row.recipe for row in rows} == set(content["artefacts"])
    for row in rows:
        assert row.artefact_sha256 == content["artefacts"][row.recipe]["sha256"]
        assert row.input_shape[2:] == [content["input"]["height"], content["input"]["width"]]
        assert (row.source, row.runtime, row.repeats, row.iterations) == (
            "browser", "litertjs", 3, 20,
        )  # fmt: skip


def test_the_lock_names_no_place_to_download_from() -> None:
    lock = json.loads((APP / "package-lock.json").read_text())
    assert lock["packages"]
    for name, package in lock["packages"].items():
        assert "resolved" not in package, name
        assert not name or "integrity" in package, name


def test_no_model_is_known_to_the_code() -> None:
    sources = [*(APP / "src").rglob("*.ts"), *(APP / "e2e").rglob("*.ts")]
    assert len(sources) > 20
    names = students.names()
    assert "fastsal_a" in names
    for path in sources:
        text = path.read_text()
        assert [name for name in names if name in text] == [], path
