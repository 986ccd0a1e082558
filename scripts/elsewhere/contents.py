"""What a packed run holds besides images: code, settings, weights, earlier outputs."""

from __future__ import annotations

import importlib.metadata
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.files import sha256_bytes, sha256_file
from pipeline.weights import TORCHVISION, weights_path

CODE = ("pipeline", "students", "teachers", "mobile", "scripts", "conf")
VENDORED = {
    "antlr4": "antlr4-python3-runtime",
    "omegaconf": "omegaconf",
    "platformdirs": "platformdirs",
    "yaml": "PyYAML",
}
"""Small pure-Python packages that a machine with torch often lacks: they travel along."""


@dataclass(frozen=True)
class Entry:
    """One file of the archive."""

    name: str
    """POSIX path below the archive's folder."""
    content: bytes | Path

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    @property
    def sha256(self) -> str:
        """Hash of the content."""
        content = self.content
        return sha256_bytes(content) if isinstance(content, bytes) else sha256_file(content)


def code(workspace: Path) -> list[Entry]:
    """The packages and conf/ as they are now: tracked files, and new ones Git does not ignore."""
    listed = _git(workspace, "ls-files", "--cached", "--others", "--exclude-standard", "--", *CODE)
    files = [name for name in listed.splitlines() if (workspace / name).is_file()]
    if not files:
        raise UserError(f"{workspace} has no code to pack; run from the project's folder")
    return [Entry(name, workspace / name) for name in files]


def commit(workspace: Path) -> str:
    """The commit the code stands on, with `+` behind it when files differ from it."""
    head = _git(workspace, "rev-parse", "HEAD").strip()
    return head + ("+" if _git(workspace, "status", "--porcelain", "--", *CODE).strip() else "")


def vendored() -> list[Entry]:
    """Sources and licences of `VENDORED` as installed here, below vendor/."""
    entries = []
    for module, distribution in VENDORED.items():
        for file in importlib.metadata.files(distribution) or []:
            licence = "licen" in file.name.lower() and file.parts[0] != ".."
            if (file.parts[0] == module and file.suffix == ".py") or licence:
                entries.append(Entry(f"vendor/{file.as_posix()}", Path(str(file.locate()))))
    return entries


def weights(config: Config) -> dict[str, Path]:
    """Registered weights files by the names the configuration uses."""
    names = [config.student.weights, *(t.weights for t in config.student.teachers.values())]
    found = {name: weights_path(name) for name in sorted(set(names))}
    return {name: path for name, path in found.items() if isinstance(path, Path)}


def weights_name(name: str, path: Path) -> str:
    """Where a weights file lies in the archive."""
    return f"weights/{name}{path.suffix}"


def downloads(config: Config) -> bool:
    """Whether the run fetches weights from the network by itself."""
    return config.student.weights == TORCHVISION


def outputs(folders: Sequence[Path], workspace: Path) -> list[Entry]:
    """Every file of the output `folders`, which lie below `workspace`."""
    files = [f for folder in folders for f in sorted((workspace / folder).rglob("*"))]
    return [Entry(f.relative_to(workspace).as_posix(), f) for f in files if f.is_file()]


def total(entries: Iterable[Entry]) -> int:
    """Bytes of all entries."""
    return sum(entry.size for entry in entries)


def _git(workspace: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=workspace, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(
            f"`git {arguments[0]}` failed in {workspace}; pack from a clone, where Git says "
            "which files are code"
        ) from error
    return done.stdout
