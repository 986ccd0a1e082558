"""Where a result came from: the hashes and versions that go into headers and manifests."""

from __future__ import annotations

import dataclasses
import importlib.metadata
from pathlib import Path
from typing import Any

from pipeline.files import sha256_file, sha256_json, tree_hash

PACKAGES = ("torch", "torchvision", "numpy", "safetensors")


def settings_hash(settings: Any) -> str:
    """Hash of a dataclass of settings."""
    return sha256_json(dataclasses.asdict(settings))


def versions(packages: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """Installed versions of the packages that decide numbers."""
    return {name: importlib.metadata.version(name) for name in packages}


def lineage(folders: dict[str, Path]) -> dict[str, str]:
    """Content hash of each file or folder by role; missing ones are left out."""
    return {
        role: sha256_file(path) if path.is_file() else tree_hash(path)
        for role, path in folders.items()
        if path.exists()
    }
