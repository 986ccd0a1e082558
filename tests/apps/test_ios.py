"""The iOS app: what can be proved of it without Apple's systems.

Its sources parse, its project refers to what is there, its core is tested by Swift itself where
there is one: `swift` on the path, or `FOVEA_SWIFT` naming it. Nothing here runs Core ML.
"""

from __future__ import annotations

import dataclasses
import json
import os
import plistlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tree_sitter
import tree_sitter_swift
from openstep_parser import OpenStepDecoder

import students
from fovea.native import build
from mobile import recipes
from mobile.contract import install
from mobile.latency_row import read_lines
from pipeline.data.classes import get
from tests.apps import small
from tests.mobile.tiny import SPEC

HOME = Path(__file__).resolve().parents[2] / "mobile/apps/ios"
CORE, APP, APP_TESTS = HOME / "FoveaCore", HOME / "Fovea/App", HOME / "FoveaTests"
SHIPPED = sorted([*(CORE / "Sources").rglob("*.swift"), *APP.rglob("*.swift")])
EVERY = sorted([*SHIPPED, *(CORE / "Tests").rglob("*.swift"), *APP_TESTS.rglob("*.swift")])
VECTORS = json.loads((HOME.parent / "vectors/vectors.json").read_text())


def name(path: Path) -> str:
    return path.relative_to(HOME).as_posix()


def broken(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    if node.type == "ERROR" or node.is_missing:
        yield node
    for child in node.children:
        if child.has_error or child.is_missing:
            yield from broken(child)


@pytest.mark.parametrize("path", EVERY, ids=name)
def test_every_file_is_swift(path: Path) -> None:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_swift.language()))
    found = list(broken(parser.parse(path.read_bytes()).root_node))
    assert [(node.start_point, node.text) for node in found] == []


def test_broken_swift_is_noticed() -> None:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_swift.language()))
    assert list(broken(parser.parse(b"func f( { let x = }").root_node))


@pytest.fixture(scope="module")
def objects() -> dict[str, Any]:
    with (HOME / "Fovea.xcodeproj/project.pbxproj").open() as file:
        found: dict[str, Any] = OpenStepDecoder.ParseFromFile(file)["objects"]
    return found


def of_kind(objects: dict[str, Any], isa: str) -> dict[str, Any]:
    return {key: each for key, each in objects.items() if each["isa"] == isa}


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from references(key)
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)
    elif re.fullmatch(r"[0-9A-F]{24}", str(value)):
        yield str(value)


def test_the_project_refers_to_nothing_that_is_not_there(objects: dict[str, Any]) -> None:
    # Nor is anything there that nothing refers to, and so builds without.
    assert set(references(list(objects.values()))) == set(objects)
    parents = {child: key for key, each in objects.items() for child in each.get("children", [])}

    def place(key: str) -> Path:
        entry = objects[key]
        if entry["sourceTree"] == "SOURCE_ROOT":
            return HOME / str(entry["path"])
        above = place(parents[key]) if key in parents else HOME
        return above / str(entry["path"]) if "path" in entry else above

    named = of_kind(objects, "PBXFileReference") | of_kind(
        objects, "PBXFileSystemSynchronizedRootGroup"
    )
    on_disk = {
        key: each for key, each in named.items() if each["sourceTree"] != "BUILT_PRODUCTS_DIR"
    }
    assert len(on_disk) >= 7
    for key in on_disk:
        assert place(key).exists(), place(key)
    found = {place(key).resolve() for key in on_disk}
    assert {
        APP,
        APP_TESTS,
        HOME / install.get("ios").home.removeprefix("mobile/apps/ios/"),
    } <= found
    for package in of_kind(objects, "XCLocalSwiftPackageReference").values():
        assert (HOME / package["relativePath"] / "Package.swift").is_file()


def test_settings_name_files_that_are_there(objects: dict[str, Any]) -> None:
    settings = [each["buildSettings"] for each in of_kind(objects, "XCBuildConfiguration").values()]
    plists = {each["INFOPLIST_FILE"] for each in settings if "INFOPLIST_FILE" in each}
    assert plists == {"Fovea/Info.plist"}
    projects = [each for each in settings if "SWIFT_VERSION" in each]
    assert {each["SWIFT_VERSION"] for each in projects} == {"6.0"}
    assert {each["IPHONEOS_DEPLOYMENT_TARGET"] for each in projects} == {"17.0"}
    # A golden input that Xcode has recompressed has another hash.
    assert {each["COMPRESS_PNG_FILES"] for each in projects} == {"NO"}


def test_the_scheme_names_the_projects_targets(objects: dict[str, Any]) -> None:
    text = (HOME / "Fovea.xcodeproj/xcshareddata/xcschemes/Fovea.xcscheme").read_text()
    named = set(re.findall(r'BlueprintIdentifier = "(\w+)"', text))
    assert named == set(of_kind(objects, "PBXNativeTarget"))


def test_every_archive_of_executorch_is_loaded_whole(objects: dict[str, Any]) -> None:
    (package,) = of_kind(objects, "XCRemoteSwiftPackageReference")
    linked = {
        each["productName"]
        for each in of_kind(objects, "XCSwiftPackageProductDependency").values()
        if each.get("package") == package
    }
    config = (HOME / "Fovea/Fovea.xcconfig").read_text()
    assert set(re.findall(r"-force_load \S+/lib(\w+)_\$\(ET_PLATFORM\)\.a", config)) == linked
    assert {"executorch", "backend_xnnpack", "backend_coreml"} <= linked


def test_the_runtimes_version_is_said_once(objects: dict[str, Any]) -> None:
    (package,) = of_kind(objects, "XCRemoteSwiftPackageReference").values()
    version = package["requirement"]["branch"].removeprefix("swiftpm-")
    assert f'static let version = "{version}"' in (APP / "ExecuTorchEngine.swift").read_text()


def test_people_are_told_what_the_camera_is_for() -> None:
    info = plistlib.loads((HOME / "Fovea/Info.plist").read_bytes())
    for key in ("NSCameraUsageDescription", "NSPhotoLibraryAddUsageDescription"):
        assert len(info[key]) > 20
    assert info["UIFileSharingEnabled"] is True  # latency rows can be fetched
    assert "UILaunchScreen" in info
    privacy = plistlib.loads((APP / "PrivacyInfo.xcprivacy").read_bytes())
    assert privacy["NSPrivacyTracking"] is False
    assert privacy["NSPrivacyCollectedDataTypes"] == []


def test_the_core_needs_foundation_alone() -> None:
    for path in (CORE / "Sources").rglob("*.swift"):
        text = path.read_text()
        imported = set(re.findall(r"^\s*(?:@\w+ )?import (\w+)", text, re.MULTILINE))
        assert imported <= {"Foundation", "CryptoKit"}, path
        if "CryptoKit" in imported:
            assert re.search(r"#if canImport\(CryptoKit\)\n\s*import CryptoKit", text)
    dependencies = re.findall(r"\.package\(", (CORE / "Package.swift").read_text())
    assert dependencies == []


def test_no_file_knows_a_model() -> None:
    specs = [students.spec(each) for each in students.names()]
    known = {each.name for each in specs} | set(recipes.names())
    numbers = {f"{value:g}" for each in specs for value in (*each.mean, *each.std) if value > 1}
    # 256 is the length of a colour table as well, and powers of two below it are of many things.
    sizes = {str(each.height) for each in specs if each.height > 128} - {"256"}
    assert numbers
    assert sizes
    for path in SHIPPED:
        text = re.sub(r"//.*", "", path.read_text())
        literals = set(re.findall(r'"([^"\n]*)"', text))
        assert not literals & known - {"executorch_coreml"}, path  # the name of a backend, too
        found = set(re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", text))
        assert not found & (numbers | sizes), path


def test_every_list_of_vectors_is_tested() -> None:
    text = "\n".join(path.read_text() for path in (CORE / "Tests").rglob("*.swift"))
    lists = {key for key, value in VECTORS.items() if isinstance(value, list)}
    assert lists == set(re.findall(r'Vectors\.cases\("(\w+)"', text))


@pytest.fixture(scope="module")
def swift() -> str:
    found = os.environ.get("FOVEA_SWIFT") or shutil.which("swift")
    if found is None:
        pytest.skip("no Swift here: install it, or name it in FOVEA_SWIFT")
    return found


def test_swifts_own_parser_takes_every_file(swift: str) -> None:
    command = [swift, "-frontend", "-parse", "-swift-version", "6", *map(str, EVERY)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A bundle of each task, as the app gets it: with a file that ExecuTorch runs."""
    home, names = tmp_path_factory.mktemp("ios"), get("sample").classes
    specs = [
        SPEC,
        dataclasses.replace(SPEC, name="objects", task="salient_object"),
        dataclasses.replace(SPEC, name="semantic", task="semantic", output="class-logits"),
    ]
    found = []
    for spec in specs:
        classes = names if spec.task == "semantic" else ()
        student = small.tiny(len(classes) or 1)
        target, exports = home / spec.name, home / f"{spec.name}.exports"
        made = small.bundle(target, exports, spec, student, ("executorch_fp32",), classes)
        found.append(install.install(made, install.get("ios"), home / "Bundles"))
    assert small.listed(home / "Bundles") == sorted(spec.name for spec in specs)
    return found


@pytest.mark.slow
def test_the_core_passes_its_tests(swift: str, installed: list[Path], tmp_path: Path) -> None:
    environment = dict(os.environ)
    environment["FOVEA_BUNDLES"] = ":".join(str(each) for each in installed)
    environment["FOVEA_LATENCY_ROWS"] = str(tmp_path / "rows.jsonl")
    try:
        environment["FOVEA_NATIVE_LIBRARY"] = str(build.library())
    except build.UnavailableError:
        environment.pop("FOVEA_NATIVE_LIBRARY", None)
    command = [swift, "test", "--package-path", str(CORE), "--scratch-path", str(tmp_path / "b")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-8000:]
    assert re.search(r"Test run with \d\d+ tests passed", said), said[-2000:]
    if "FOVEA_NATIVE_LIBRARY" in environment:  # the real runtime ran what Swift prepared
        verdicts = re.findall(r"^executorch_fp32 \S+: \|difference\|", said, re.MULTILINE)
        assert len(verdicts) == 2 * len(installed)
    (row,) = read_lines(tmp_path / "rows.jsonl")
    assert (row.source, row.thermal_status, row.threads) == ("device", "serious", 0)
