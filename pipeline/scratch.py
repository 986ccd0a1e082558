"""Scratch folders: partial work that DVC must not wipe.

DVC removes a stage's outputs before it runs again, so whatever a killed run left for the next one
lies outside the repository, under a key made of everything the result depends on: another
configuration, other inputs or other code never meet it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs

from pipeline.errors import UserError
from pipeline.files import sha256_json, tree_hash
from pipeline.lock import in_turn

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
def scratch(
    stage: str, settings: Any, dependencies: list[Path], part: str | None = None
) -> Iterator[Path]:
    """The folder for `stage` with these settings, dependencies and code; removed on success.

    Left as it is, unless empty, when the block fails or is killed. A second run with the same key
    waits. With `part`, runs of other parts share the folder at once, only runs of the same one
    wait, and nobody removes it: that is for whoever finds all parts done.
    """
    key = sha256_json([stage, settings, [tree_hash(d) for d in dependencies], code_version()])
    folder = root() / f"{stage.replace('/', '-')}-{key[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot use the scratch folder {folder} ({error.strerror}); "
            "set FOVEA_SCRATCH to a writable one"
        ) from error
    with in_turn(lock_file(folder, part), f"another run of {stage}"):
        folder.mkdir(exist_ok=True)
        if any(folder.iterdir()):
            print(f"{stage}: going on from {folder}", file=sys.stderr)
        try:
            yield folder
        except BaseException:
            # What failed before it had anything to keep leaves nothing.
            with contextlib.suppress(OSError):
                if part is None:
                    folder.rmdir()
            raise
        if part is None:
            shutil.rmtree(folder, ignore_errors=True)


def scratch_of_first(
    first: bool, stage: str, settings: Any, dependencies: list[Path]
) -> contextlib.AbstractContextManager[Path]:
    """`scratch` for the first of several processes that work in step; no folder for the others."""
    if first:
        return scratch(stage, settings, dependencies)
    return contextlib.nullcontext(Path(os.devnull))


def lock_file(folder: Path, part: str | None = None) -> Path:
    """The lock of a scratch folder, or of one part of the work in it."""
    return folder.with_name(f"{folder.name}{f'.{part}' if part else ''}.lock")
