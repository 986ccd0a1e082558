"""Files that are not what their name says are refused in words; none ends the interpreter."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mobile.backends.coreml import package
from mobile.export import open_runner
from pipeline.errors import UserError
from tests.mobile.conftest import Export

FLATBUFFERS = ("executorch_fp32", "litert_fp32")


@pytest.mark.parametrize("name", FLATBUFFERS)
def test_what_is_no_model_is_told_by_its_kind(
    name: str, exports: dict[str, Export], tmp_path: Path
) -> None:
    suffix = exports[name].file.suffix
    other = next(exports[n] for n in FLATBUFFERS if n != name)
    made = {
        "text": b"mobile saliency model",
        "empty": b"",
        "short": b"abc",
        "another format": other.file.read_bytes(),
    }
    said = {}
    for what, content in made.items():
        path = tmp_path / f"{what}{suffix}"
        path.write_bytes(content)
        with pytest.raises(UserError, match="export it again") as caught:
            open_runner(path)
        assert str(caught.value).startswith(str(path))
        said[what] = str(caught.value)
    assert "it is empty" in said["empty"]
    assert "bytes 4-8 are" in said["text"]
    assert "bytes 4-8 are" in said["another format"]
    folder = tmp_path / f"folder{suffix}"
    folder.mkdir()
    with pytest.raises(UserError, match="it is a folder; name the file inside it"):
        open_runner(folder)
    with pytest.raises(UserError, match="is missing; export it first"):
        open_runner(tmp_path / f"absent{suffix}")


OPEN_ALL = """
import json, sys
from pathlib import Path
from mobile.export import open_runner
from pipeline.errors import UserError
said = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        open_runner(path)
        said[path.name] = "opened"
    except UserError as error:
        said[path.name] = str(error)
print(json.dumps(said))
"""


def test_truncated_files_are_refused_without_ending_the_process(
    exports: dict[str, Export], tmp_path: Path
) -> None:
    # In a process of its own: a runtime that aborts would take the tests with it.
    for name in ("executorch_fp32", "executorch_int8", "litert_fp32", "litert_int8"):
        data = exports[name].file.read_bytes()
        for share in (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999):
            cut = data[: int(len(data) * share)]
            (tmp_path / f"{name}_{share}{exports[name].file.suffix}").write_bytes(cut)
    done = subprocess.run(
        [sys.executable, "-c", OPEN_ALL, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert len(said) == 28
    for name, message in said.items():
        assert message != "opened", name
        assert name in message
        assert message.endswith("export it again")


@pytest.mark.parametrize("name", [*FLATBUFFERS, "coreml_fp16"])
def test_a_changed_byte_is_found_by_the_report_beside_the_file(
    name: str, exports: dict[str, Export], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(exports[name].folder, tmp_path / "export"))
    file = folder / exports[name].file.name
    changed = file / package.WEIGHTS if file.is_dir() else file
    data = bytearray(changed.read_bytes())
    data[len(data) // 2] ^= 1
    changed.write_bytes(data)
    with pytest.raises(UserError, match=r"is damaged or was replaced: .*export\.json says"):
        open_runner(file)


@pytest.mark.parametrize("name", FLATBUFFERS)
def test_a_changed_byte_is_found_by_the_manifest_of_a_bundle(
    name: str, exports: dict[str, Export], tmp_path: Path
) -> None:
    made = exports[name]
    file = tmp_path / "artefacts" / name / made.file.name
    file.parent.mkdir(parents=True)
    shutil.copyfile(made.file, file)
    entry = {"path": f"artefacts/{name}/{file.name}", "sha256": made.report.sha256}
    (tmp_path / "manifest.json").write_text(json.dumps({"artefacts": {name: entry}}))
    open_runner(file)
    data = bytearray(file.read_bytes())
    data[-9] ^= 1
    file.write_bytes(data)
    with pytest.raises(UserError, match=r"is damaged or was replaced: .*manifest\.json says"):
        open_runner(file)


def as_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("a package, they said")


def emptied(path: Path) -> None:
    shutil.rmtree(path)
    path.mkdir()


def rewritten(name: str, content: bytes) -> object:
    def change(path: Path) -> None:
        (path / name).write_bytes(content)

    return change


def cut(name: str, share: float) -> object:
    def change(path: Path) -> None:
        data = (path / name).read_bytes()
        (path / name).write_bytes(data[: int(len(data) * share)])

    return change


ELSEWHERE = {"m": {"path": "com.apple.CoreML/other.mlmodel"}}
PACKAGES = {
    "a file": (as_file, "it is a file, and a package is a folder"),
    "an empty folder": (emptied, "it has no Manifest.json"),
    "no manifest": (lambda p: (p / package.MANIFEST).unlink(), "it has no Manifest.json"),
    "text for a manifest": (rewritten(package.MANIFEST, b"{"), "Manifest.json is not a package's"),
    "bytes for a manifest": (rewritten(package.MANIFEST, b"\xff\x00"), "is not a package's"),
    "a list for a manifest": (rewritten(package.MANIFEST, b"[1]"), "is not a package's"),
    "another manifest": (
        rewritten(package.MANIFEST, json.dumps({"itemInfoEntries": {}}).encode()),
        "is not a package's",
    ),
    "a manifest of another model": (
        rewritten(
            package.MANIFEST,
            json.dumps({"itemInfoEntries": ELSEWHERE, "rootModelIdentifier": "m"}).encode(),
        ),
        "points to com.apple.CoreML/other.mlmodel",
    ),
    "no model": (lambda p: (p / package.MODEL).unlink(), "model.mlmodel, which Manifest.json"),
    "an empty model": (cut(package.MODEL, 0), "model.mlmodel holds no ML Program"),
    "a tenth of the model": (cut(package.MODEL, 0.1), "model.mlmodel is cut short or damaged"),
    "half of the model": (cut(package.MODEL, 0.5), "model.mlmodel is cut short or damaged"),
    "most of the model": (cut(package.MODEL, 0.999), "model.mlmodel is cut short or damaged"),
    "text for a model": (rewritten(package.MODEL, b"a model, they said"), "cut short or damaged"),
    "no weights": (lambda p: (p / package.WEIGHTS).unlink(), "weight.bin is missing"),
    "no weights folder": (
        lambda p: shutil.rmtree((p / package.WEIGHTS).parent),
        "weights, which Manifest.json lists, is missing",
    ),
    "empty weights": (cut(package.WEIGHTS, 0), "weight.bin is cut short"),
    "half of the weights": (cut(package.WEIGHTS, 0.5), "weights are whole|weights are there"),
    "most of the weights": (cut(package.WEIGHTS, 0.999), "weights are whole"),
    "text for weights": (rewritten(package.WEIGHTS, b"mobile saliency"), "is not a weight file"),
}


@pytest.mark.parametrize("what", PACKAGES)
def test_a_package_that_is_not_one_is_told_by_its_damage(
    what: str, exports: dict[str, Export], tmp_path: Path
) -> None:
    damage, message = PACKAGES[what]
    path = Path(shutil.copytree(exports["coreml_fp16"].file, tmp_path / "model.mlpackage"))
    damage(path)
    with pytest.raises(UserError, match=message) as caught:
        open_runner(path)
    assert str(caught.value).startswith(f"{path} is not a whole Core ML package: ")
    assert str(caught.value).endswith("export it again")
    with pytest.raises(UserError, match="is missing; export it first"):
        open_runner(tmp_path / "absent.mlpackage")
