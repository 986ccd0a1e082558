"""What is looked at on the other machine before any work: the archive's files, its Python."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.files import read_json, sha256_file

NEEDED = {
    "torch": "torch",
    "torchvision": "torchvision",
    "numpy": "numpy",
    "scipy": "scipy",
    "PIL": "pillow",
    "safetensors": "safetensors",
    "rich": "rich",
}
"""Packages the stages import that do not travel along, by module."""
OLDEST_PYTHON = (3, 11)


def check(folder: Path) -> str:
    """Verify an unpacked run; returns a line on what it will run with.

    Raises `UserError` naming the first damaged file, or every package that is missing.
    """
    if sys.version_info[:2] < OLDEST_PYTHON:
        raise UserError(
            f"this is Python {sys.version.split()[0]}; 3.11 or newer is needed: "
            "PYTHON=/path/to/python3.12 sh run.sh"
        )
    missing = [name for module, name in NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise UserError(
            f"{sys.executable} has no {', '.join(missing)}; "
            f"{sys.executable} -m pip install {' '.join(missing)}, or choose another: "
            "PYTHON=/path/to/python3 sh run.sh"
        )
    files = manifest(folder)["files"]
    for name, stated in files.items():
        path = folder / name
        if not path.is_file() or sha256_file(path) != stated["sha256"]:
            what = "is damaged" if path.is_file() else "is missing"
            raise UserError(f"{path} {what}; unpack the archive again, or copy it again")
    return f"{len(files)} files as packed; {_device()}"


def manifest(folder: Path) -> dict[str, Any]:
    """What was packed. Raises `UserError` when `folder` is no unpacked run."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise UserError(f"{folder.absolute()} is no unpacked run: it has no {path.name}")
    content: dict[str, Any] = read_json(path)
    return content


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return f"torch {torch.__version__} on {torch.cuda.get_device_name()}"
    return f"torch {torch.__version__} on the CPU: no CUDA device is visible"
