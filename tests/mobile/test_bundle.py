"""A bundle is whole, checkable down to one byte, and built all or not at all."""

from __future__ import annotations

import json
import platform
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobile import manifest
from mobile.backend import Array, get_backend
from mobile.bundle import Artefact, assemble, verify
from mobile.export import open_runner
from mobile.manifest import read_manifest
from mobile.parity import compare, torch_output
from pipeline.data.resize import weights
from pipeline.errors import UserError
from pipeline.files import tree_hash
from tests.mobile.conftest import Export
from tests.mobile.test_latency_row import row
from tests.mobile.tiny import SPEC, TinyStudent

LINEAGE = {"checkpoint": "ab" * 32, "teachers": ["salgan"]}
KEPT = ("executorch_fp32", "litert_int8")
UNEXECUTED = "executorch_coreml"
REASON = "Core ML's delegate runs elsewhere"
INTERPRETED = "coreml_fp16"


@pytest.fixture(scope="module")
def golden(images: list[Array]) -> dict[str, np.ndarray]:
    return {f"photo{i}": np.rint(images[i][0].transpose(1, 2, 0)).astype(np.uint8) for i in (0, 1)}


@pytest.fixture(scope="module")
def whole(
    exports: dict[str, Export],
    student: TinyStudent,
    images: list[Array],
    golden: dict[str, np.ndarray],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    target = tmp_path_factory.mktemp("bundles") / "tiny"
    artefacts = []
    for name in KEPT:
        parity = compare(open_runner(exports[name].file), student, images[8:9], ["a"]).row()
        artefacts.append(Artefact(exports[name].folder, parity, {"CC": 0.5}, [row(recipe=name)]))
    artefacts.append(Artefact(exports[UNEXECUTED].folder, reason=REASON))
    seen = {"target": "iOS16", "problems": []}
    told = {"executor": "an interpreter", "untimed": "its time is its own"}
    artefacts.append(Artefact(exports[INTERPRETED].folder, inspection=seen, **told))
    assemble(target, SPEC, student, artefacts, golden, LINEAGE)
    return target


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "bundle")
    return tmp_path / "bundle"


def test_a_new_bundle_is_sound_and_says_everything(whole: Path, exports: dict[str, Export]) -> None:
    assert verify(whole) == []
    content = read_manifest(whole)
    assert set(content["artefacts"]) == {*KEPT, UNEXECUTED, INTERPRETED}
    for name in KEPT:
        entry = content["artefacts"][name]
        assert (entry["executed"], entry["reason"]) == (True, None)
        assert entry["sha256"] == exports[name].report.sha256
        assert entry["latency"][0]["recipe"] == name
        assert entry["metrics"] == {"CC": 0.5}
        assert entry["parity"]["images"] == 1
        assert entry["delegation"]["delegated"] > 0
    assert content["spec"]["name"] == "tiny"
    assert content["lineage"] == LINEAGE
    assert content["input"]["resize"]["name"] == "triangle"
    assert content["input"]["color"] == "RGB"
    assert {"torch", "executorch", "litert-torch"} <= content["versions"].keys()


@pytest.mark.skipif(platform.system() == "Darwin", reason="there the file is executed")
def test_a_file_that_could_not_run_is_said_to_be_unexecuted(
    whole: Path, exports: dict[str, Export]
) -> None:
    content = read_manifest(whole)
    entry = content["artefacts"][UNEXECUTED]
    assert (entry["executed"], entry["reason"], entry["parity"]) == (False, REASON, None)
    assert entry["bounds"] == {"max_abs": 2.0, "min_cc": 0.999}
    assert all(set(g["outputs"]) == {*KEPT, INTERPRETED} for g in content["golden"])


def test_a_file_says_what_executed_it(whole: Path, exports: dict[str, Export]) -> None:
    content = read_manifest(whole)
    entry = content["artefacts"][INTERPRETED]
    assert (entry["executed"], entry["executor"]) == (True, "an interpreter")
    assert (entry["untimed"], entry["latency"]) == ("its time is its own", [])
    assert entry["inspection"]["target"] == "iOS16"
    for golden in content["golden"]:
        said = golden["outputs"][INTERPRETED]["executor"]
        assert said == get_backend("coreml").executor()
    home = f"artefacts/{INTERPRETED}/model.mlpackage"
    assert tree_hash(whole / home) == entry["sha256"]
    assert {name for name in content["files"] if name.startswith(home)} == {
        f"{home}/Manifest.json",
        f"{home}/Data/com.apple.CoreML/model.mlmodel",
        f"{home}/Data/com.apple.CoreML/weights/weight.bin",
    }


def test_nothing_else_is_left_behind(whole: Path) -> None:
    assert [path.name for path in whole.parent.iterdir()] == ["tiny"]


def test_golden_outputs_can_be_reproduced_from_the_bundle_alone(
    whole: Path, student: TinyStudent
) -> None:
    content = read_manifest(whole)
    assert [entry["name"] for entry in content["golden"]] == ["photo0", "photo1"]
    for entry in content["golden"]:
        pixels = np.asarray(Image.open(whole / entry["input"]))
        image = pixels.astype(np.float32).transpose(2, 0, 1)[None]
        assert np.array_equal(np.load(whole / entry["torch"]), torch_output(student, image))
        for recipe, expected in entry["outputs"].items():
            obtained = open_runner(whole / content["artefacts"][recipe]["path"]).run(image)
            stored = np.load(whole / expected["path"])
            assert stored.dtype == np.float32
            assert np.abs(stored - obtained).max() <= expected["tolerance"]["max_abs"]


def test_the_resize_definition_is_the_one_that_runs() -> None:
    n, m = 7, 4
    k = n / m
    s = max(1, k)
    for i in range(m):
        c = (i + 0.5) * k
        terms = np.array([max(0, 1 - abs(j + 0.5 - c) / s) for j in range(n)])
        assert np.array_equal(weights(n, m)[i], (terms / terms.sum()).astype(np.float32))


@pytest.mark.parametrize(
    "pattern",
    [
        "artefacts/*/model.tflite",
        "artefacts/*/model.mlpackage/Data/*/weights/weight.bin",
        "golden/*.png",
        "golden/*.npy",
    ],
)
def test_one_flipped_byte_is_found(bundle: Path, pattern: str) -> None:
    path = min(bundle.glob(pattern))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    problems = verify(bundle)
    assert len(problems) == 1
    assert path.relative_to(bundle).as_posix() in problems[0]
    with pytest.raises(UserError, match="sha256"):
        read_manifest(bundle)


def test_missing_and_added_files_are_found(bundle: Path) -> None:
    (bundle / "golden" / "photo0.png").unlink()
    (bundle / "notes.txt").write_text("mine")
    assert verify(bundle) == [
        "golden/photo0.png is missing",
        "notes.txt is not listed in manifest.json",
    ]
    with pytest.raises(UserError, match=r"photo0\.png is missing"):
        read_manifest(bundle)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(schema=manifest.SCHEMA + 1), "newer than"),
        (lambda m: m.pop("schema"), "names no schema"),
        (lambda m: m["spec"].update(task="divination"), "task 'divination' is unknown"),
        (lambda m: m.pop("golden"), "lacks golden"),
        (lambda m: m["files"].update({"../x": {"sha256": "", "bytes": 0}}), "points outside"),
    ],
)
def test_a_manifest_that_cannot_be_trusted_is_refused(bundle: Path, change, message: str) -> None:
    path = bundle / "manifest.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=message):
        read_manifest(bundle)
    assert any(message in problem for problem in verify(bundle))


def test_a_folder_without_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a bundle"):
        read_manifest(tmp_path)


def test_a_failed_build_leaves_the_old_bundle(
    bundle: Path, exports: dict[str, Export], student: TinyStudent, golden, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(exports["litert_fp32"].folder, damaged)
    (damaged / "model.tflite").write_bytes(b"other")
    good = Artefact(exports["executorch_fp32"].folder)
    with pytest.raises(UserError, match="not the file of its export report"):
        assemble(bundle, SPEC, student, [good, Artefact(damaged)], golden, LINEAGE)
    with pytest.raises(UserError, match="two exports"):
        assemble(bundle, SPEC, student, [good, good], golden, LINEAGE)
    with pytest.raises(UserError, match="at least one"):
        assemble(bundle, SPEC, student, [], golden, LINEAGE)
    wrong = {"big": np.zeros((64, 64, 3), np.uint8)}
    with pytest.raises(UserError, match="golden image big"):
        assemble(bundle, SPEC, student, [good], wrong, LINEAGE)
    assert verify(bundle) == []


def test_a_rebuilt_bundle_replaces_the_old_one(
    bundle: Path, exports: dict[str, Export], student: TinyStudent, golden
) -> None:
    assemble(bundle, SPEC, student, [Artefact(exports["litert_fp32"].folder)], golden, {})
    assert verify(bundle) == []
    assert set(read_manifest(bundle)["artefacts"]) == {"litert_fp32"}
