"""The shelf: finished students of this user, kept when a workspace moves on to another one.

SHELF/<student>/<content hash>/ holds the bundle and the checkpoint it was made from. Nothing here
is tracked by the repository.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import platformdirs

from pipeline.files import replace_tree, sha256_file, tree_hash


def root() -> Path:
    """FOVEA_SHELF, or the user's data folder."""
    chosen = os.environ.get("FOVEA_SHELF")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("fovea")) / "shelf"


def publish(student: str, bundle: Path, checkpoint: Path) -> Path:
    """Copy a bundle and its checkpoint onto the shelf; returns their folder there.

    The key is the checkpoint and the exported files: measuring the same files again replaces the
    entry, another training adds one.
    """
    key = sha256_file(checkpoint)[:8] + tree_hash(bundle / "artefacts")[:8]
    home = root() / student / key
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".new-") as temporary:
        folder = Path(temporary) / key
        shutil.copytree(bundle, folder / "bundle")
        shutil.copyfile(checkpoint, folder / checkpoint.name)
        replace_tree(folder, home)
    return home


def entries(student: str | None = None) -> list[Path]:
    """Folders on the shelf, of one student or of all, newest last."""
    found = root().glob(f"{student or '*'}/*/bundle/manifest.json")
    return [p.parent.parent for p in sorted(found, key=lambda p: p.stat().st_mtime)]
