"""The Android app: its core tested on the JVM, its screens on Android's own classes, by Maven.

Neither Gradle nor an Android SDK is needed; `mobile/apps/android/README.md` says what only a device
can show.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import students
from mobile.contract import install
from mobile.latency_row import LatencyRow, compare_rows, read_lines
from mobile.manifest import read_manifest
from pipeline.files import sha256_bytes
from tests.conftest import ROOT

APP = ROOT / "mobile/apps/android"
CHECK = APP / "check"
MODULES = ("core", "screens")
ON_A_DEVICE = {"GoldenVectorsTest", "ContractVectorsTest"}
"""Compiled here, run by `gradlew connectedAndroidTest`."""
_UNREACHABLE = re.compile(r"Could not (?:resolve|transfer|find artifact).*|.*Unknown host.*")


@dataclass(frozen=True)
class Given:
    """What the checks are run on, and where they leave rows of latency."""

    bundles: Path
    rows: Path


@pytest.fixture(scope="session")
def given(bundles: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Given:
    """The app's folder of bundles, as `fovea bundle install` makes it."""
    home = tmp_path_factory.mktemp("android")
    for bundle in bundles.values():
        install.install(bundle, install.get("android"), home / "bundles")
    return Given(home / "bundles", home / "latency.jsonl")


@pytest.fixture(scope="session")
def maven(given: Given) -> subprocess.CompletedProcess[str]:
    """One run over all modules; those that come after a failed one they need are left out."""
    program = shutil.which("mvn")
    if program is None or shutil.which("java") is None:
        pytest.skip("Maven and a JDK 17 or later are not installed")
    for module in MODULES:
        shutil.rmtree(CHECK / module / "target/surefire-reports", ignore_errors=True)
    settings = {
        "fovea.bundles": given.bundles,
        "fovea.rows": given.rows,
        "fovea.python": sys.executable,
    }
    defined = [f"-D{key}={value}" for key, value in settings.items()]
    command = [program, "-B", "-q", "-fae", *defined, "test"]
    return subprocess.run(command, cwd=CHECK, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def core(maven: subprocess.CompletedProcess[str]) -> dict[str, list[str]]:
    """Tests of the core that passed."""
    return passed("core", maven)


@pytest.fixture(scope="session")
def screens(maven: subprocess.CompletedProcess[str]) -> dict[str, list[str]]:
    """Tests of the app that passed."""
    return passed("screens", maven)


@pytest.mark.slow
def test_every_test_of_the_core_passes(core: dict[str, list[str]]) -> None:
    assert core == written(APP / "core/src/test")
    assert len(core["VectorsTest"]) == 10  # a list of the contract each


@pytest.mark.slow
def test_the_app_compiles_and_every_test_of_its_screens_passes(
    screens: dict[str, list[str]], maven: subprocess.CompletedProcess[str]
) -> None:
    shared = written(APP / "app/src/sharedTest")["ContractVectors"]
    expected = written(APP / "app/src/test") | {"ContractVectorsOnRobolectricTest": shared}
    assert screens == expected
    assert maven.returncode == 0


@pytest.mark.slow
def test_rows_of_the_app_are_rows_of_the_schema(core: dict[str, list[str]], given: Given) -> None:
    assert core
    rows = read_lines(given.rows)
    content = read_manifest(given.bundles / "fastsal_a")
    assert {row.recipe for row in rows} == set(content["artefacts"])
    for row in rows:
        assert row.artefact_sha256 == content["artefacts"][row.recipe]["sha256"]
        assert (row.source, row.thermal_status) == ("device", "light")
        assert (row.repeats, row.iterations, row.warmups) == (3, 20, 5)
        assert row.input_sha256 == sha256_bytes(first_input(given.bundles / "fastsal_a").tobytes())
    assert compare_rows(*rows[:2]).ratio == rows[0].p50_ms / rows[1].p50_ms
    assert set(LatencyRow.__dataclass_fields__) == set(rows[0].row())


def test_no_source_of_the_app_knows_a_model() -> None:
    sizes, numbers = set(), set()
    for name in students.names():
        spec = students.spec(name)
        sizes |= {spec.height, spec.width}
        numbers |= {f"{value:g}" for value in (*spec.mean, *spec.std) if value not in (0, 1, 255)}
    sizes -= {256}  # the levels of a byte
    assert sizes
    assert numbers
    searched = 0
    for source in sources():
        text = source.read_text()
        literals = set(re.findall(r"(?<![\w#.])\d+(?:\.\d+)?(?![\w.])", text))
        assert not literals & (numbers | {str(size) for size in sizes}), source
        assert not [name for name in students.names() if name in text], source
        searched += 1
    assert searched > 30


def test_the_android_home_of_bundles_is_the_apps_assets_and_ignored() -> None:
    home = install.get("android").folder
    assert home == APP / "app/src/main/assets/bundles"
    ignored = (APP / ".gitignore").read_text().splitlines()
    assert f"{home.relative_to(APP).as_posix()}/" in ignored


def sources() -> Iterator[Path]:
    """What is shipped."""
    for module in ("core", "app"):
        yield from sorted((APP / module / "src/main").rglob("*.kt"))


def written(folder: Path) -> dict[str, list[str]]:
    """Names of the tests in the Kotlin sources below `folder`, by class."""
    found = {}
    for path in folder.rglob("*.kt"):
        names = re.findall(r"@Test\s+fun (?:`([^`]+)`|(\w+))", path.read_text())
        if names and path.stem not in ON_A_DEVICE:
            found[path.stem] = sorted(quoted or plain for quoted, plain in names)
    assert found
    return found


def passed(module: str, maven: subprocess.CompletedProcess[str]) -> dict[str, list[str]]:
    """Names of a module's tests by class; one that did not pass fails whoever asks.

    Skips where the module was not tested because its packages cannot be had.
    """
    said = maven.stdout + maven.stderr
    reports = sorted((CHECK / module / "target/surefire-reports").glob("TEST-*.xml"))
    unreachable = _UNREACHABLE.search(said)
    if not reports and unreachable:
        pytest.skip(f"Maven cannot get the packages of {module}: {unreachable.group(0)[:200]}")
    assert reports, said[-6000:]
    found: dict[str, list[str]] = {}
    for report in reports:
        for case in ET.parse(report).getroot().iter("testcase"):
            name = case.attrib["name"].removesuffix("()")
            bad = [part for part in case if part.tag in ("failure", "error", "skipped")]
            assert not bad, f"{name}: {bad[0].get('message')}\n{(bad[0].text or '')[:2000]}"
            found.setdefault(case.attrib["classname"].rsplit(".", 1)[1], []).append(name)
    return {name: sorted(tests) for name, tests in found.items()}


def first_input(bundle: Path) -> np.ndarray:
    """The golden input that is measured on, float32 (1, 3, H, W)."""
    path = bundle / read_manifest(bundle)["golden"][0]["input"]
    pixels = np.asarray(Image.open(path).convert("RGB"), np.float32)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
