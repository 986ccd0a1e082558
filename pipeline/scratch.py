"""Scratch folders: partial work that DVC must not wipe.

DVC removes a stage's outputs before it runs again, so whatever a killed run left for the next one
lies outside the repository, under a key made of everything the result depends on: another
configuration, other inputs or other code never meet it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs

from pipeline.errors import UserError
from pipeline.files import sha256_json, tree_hash

CODE = ("pipeline", "students", "teachers")


def root() -> Path:
    """FOVEA_SCRATCH, or the user's cache folder."""
    chosen = os.environ.get("FOVEA_SCRATCH")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("fovea")) / "scratch"


def code_version() -> str:
    """Hash of the sources that decide what a stage makes."""
    here = Path(__file__).resolve().parent.parent
    files = [f for name in CODE for f in sorted((here / name).rglob("*.py"))]
    return sha256_json([[str(f.relative_to(here)), tree_hash(f)] for f in files])


@contextlib.contextmanager
def scratch(stage: str, settings: Any, dependencies: list[Path]) -> Iterator[Path]:
    """The folder for `stage` with these settings, dependencies and code; removed on success.

    Left as it is when the block fails or is killed. A second run with the same key waits.
    """
    key = sha256_json([stage, settings, [tree_hash(d) for d in dependencies], code_version()])
    folder = root() / f"{stage.replace('/', '-')}-{key[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder.parent / f"{folder.name}.lock").open("w")
    except OSError as error:
        raise UserError(
            f"cannot use the scratch folder {folder} ({error.strerror}); "
            "set FOVEA_SCRATCH to a writable one"
        ) from error
    with lock:
        _wait(lock.fileno(), folder)
        folder.mkdir(exist_ok=True)
        if any(folder.iterdir()):
            print(f"{stage}: going on from {folder}", file=sys.stderr)
        yield folder
        shutil.rmtree(folder, ignore_errors=True)


def _wait(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"another run works in {folder}; waiting for it to end", file=sys.stderr)
        fcntl.flock(handle, fcntl.LOCK_EX)
