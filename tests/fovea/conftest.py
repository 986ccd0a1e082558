"""One tiny model as files, a bundle of them, and photographs to run on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mobile import recipes
from mobile.bundle import Artefact, assemble
from mobile.export import export
from pipeline import checkpoint
from tests.mobile.test_latency_row import row
from tests.mobile.tiny import SPEC, TinyStudent, photographs

RECIPES = ("executorch_int8", "executorch_fp32", "litert_fp32")
METRICS = {"student": {"NSS": 1.5, "CC": 0.6}}


@dataclass(frozen=True)
class Made:
    """The tiny model's files, made once."""

    exports: Path
    """One folder per recipe, as the export stage leaves them."""
    bundle: Path

    def file(self, recipe: str) -> Path:
        """An exported file."""
        return next((self.exports / recipe).glob("model.*"))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    torch.manual_seed(0)
    student = TinyStudent().eval()
    exports = tmp_path_factory.mktemp("exports")
    for name in RECIPES:
        export(student, SPEC, recipes.get(name), photographs(8), exports / name)
    artefacts = [
        Artefact(exports / name, latency=[row(recipe=name)], metrics={"metrics": {}})
        for name in RECIPES
    ]
    golden = {"image0": np.rint(photographs(1)[0][0].transpose(1, 2, 0)).astype(np.uint8)}
    bundle = tmp_path_factory.mktemp("bundles") / "bundle"
    assemble(bundle, SPEC, student, artefacts, golden, {"torch_metrics": METRICS})
    return Made(exports, bundle)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a student, untrained."""
    import students

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("trained") / "model.safetensors"
    header = {"kind": "student", "model": "fastsal_c", "overrides": {"form": "taps"}}
    model = students.build("fastsal_c", form="taps")
    checkpoint.write(path, model.state_dict(), header | {"height": 64, "width": 64})
    return path


@pytest.fixture(scope="session")
def native_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_folders(
    tmp_path: Path, native_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # the user's own registry, shelf, history and cache stay as they are
    monkeypatch.setenv("FOVEA_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("FOVEA_SHELF", str(tmp_path / "shelf"))
    monkeypatch.setenv("FOVEA_HISTORY", str(tmp_path / "history.jsonl"))
    monkeypatch.setenv("FOVEA_SCRATCH", str(tmp_path / "scratch"))
    monkeypatch.setenv("FOVEA_CACHE", str(native_cache))


@pytest.fixture
def shelve(made: Made, tmp_path: Path) -> Callable[..., Path]:
    """Puts the tiny bundle on the shelf; another `content` of the checkpoint is another entry."""
    from pipeline import shelf

    def put(student: str = "tiny", content: bytes = b"weights") -> Path:
        weights = tmp_path / "model.safetensors"
        weights.write_bytes(content)
        return shelf.publish(student, made.bundle, weights)

    return put


def pixels(height: int = 60, width: int = 90, seed: int = 0) -> np.ndarray:
    """A smooth picture (H, W, 3), RGB."""
    small = photographs(1, seed)[0][0].transpose(1, 2, 0)
    image = Image.fromarray(np.rint(small).astype(np.uint8))
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


def photo(path: Path, height: int = 60, width: int = 90, seed: int = 0) -> Path:
    """Such a picture as a file, in the format of its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(height, width, seed)).save(path)
    return path


def command(*arguments: object, data: bytes = b"", cwd: Path | None = None):
    """Run `fovea` as a process of its own."""
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(
        [sys.executable, "-m", "fovea", *map(str, arguments)],
        input=data, capture_output=True, cwd=cwd, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip


def copied(source: Path, target: Path) -> Path:
    """A file or folder copied to `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
    return target
