"""A small SALICON, a Python that has torch but nothing of the export side, and a packed run."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.data.fixations import write_mat
from scripts.elsewhere.pack import FOLDER

HEIGHT, WIDTH = 360, 480
OVERRIDES = (
    "data=salicon", "profile=small", "phases=truth", "teacher=none", "student.weights=none",
    "data.calibration=4", "machine.workers=0",
)  # fmt: skip
ABSENT = (
    "ai_edge", "antlr4", "coremltools", "dvc", "executorch", "hydra", "litert", "omegaconf",
    "platformdirs", "pyyaml", "torchao", "yaml", "_yaml",
)  # fmt: skip
"""What a machine with torch may well lack."""


def write_salicon(root: Path, train: int = 8, val: int = 3) -> Path:
    """Images of smooth noise, one bright spot each, where three people look."""
    generator = np.random.default_rng(0)
    for split, count in (("train", train), ("val", val)):
        for folder in ("images", "maps", "fixations"):
            (root / folder / split).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            name = f"{split}_{index:03d}"
            coarse = generator.integers(0, 255, (9, 12, 3), dtype=np.uint8)
            image = Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
            image.save(root / "images" / split / f"{name}.jpg", quality=97)
            spot = np.zeros((9, 12), dtype=np.uint8)
            spot[generator.integers(9), generator.integers(12)] = 255
            place = np.argwhere(spot)[0][::-1] * 40 + 20
            dense = Image.fromarray(spot).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
            dense.save(root / "maps" / split / f"{name}.png")
            gaze = [np.stack([place, place + 2])] * 3
            write_mat(root / "fixations" / split / f"{name}.mat", name, HEIGHT, WIDTH, gaze)
    return root


def bare_python(folder: Path) -> Path:
    """An interpreter that sees the installed packages but `ABSENT`."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = folder / "lib" / version / "site-packages"
    for package in Path(sysconfig.get_paths()["purelib"]).iterdir():
        absent = package.name.lower().startswith(ABSENT) or package.suffix == ".pth"
        if not absent and not (site / package.name).exists():
            (site / package.name).symlink_to(package)
    return folder / "bin" / "python"


def extract(archive: Path, folder: Path) -> Path:
    """Unpack as `tar xf` does; the run's folder."""
    with tarfile.open(archive) as content:
        content.extractall(folder, filter="data")
    return folder / FOLDER


def plant(run: Path, step: str, folder: str, size: int = 60_000) -> None:
    """What `step` would leave in `folder`, with weights that do not compress."""
    target = run / "outputs" / folder
    target.mkdir(parents=True)
    for index, name in enumerate(("model.safetensors", "last.safetensors")):
        data = np.random.default_rng(index).integers(0, 256, size, dtype=np.uint8)
        (target / name).write_bytes(data.tobytes())
    (target / "epochs.csv").write_text("epoch,loss,val_CC\n0,0.5,0.1\n1,0.4,0.2\n")
    (run / "done").mkdir(exist_ok=True)
    (run / "done" / step).touch()


def run_script(run: Path, python: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`sh run.sh` as on a machine where nothing of Fovea is set."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(run.parent), "PYTHON": str(python),
        "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    return subprocess.run(
        ["sh", str(run / "run.sh"), *options], env=environment, cwd="/", capture_output=True,
        text=True, check=False, timeout=300,
    )  # fmt: skip
