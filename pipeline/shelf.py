"""The shelf: finished students of this user, kept when a workspace moves on to another one.

SHELF/<student>/<content hash>/ holds the bundle and the checkpoint it was made from. Nothing here
is tracked by the repository.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

import platformdirs

from pipeline.errors import UserError
from pipeline.files import replace_tree, sha256_file, tree_hash

_KEY = re.compile(r"[0-9a-f]{1,16}")


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
    dated = sorted(found, key=lambda p: p.stat().st_mtime)
    # An entry that is being replaced or removed has a hidden name.
    return [p.parent.parent for p in dated if not p.parent.parent.name.startswith(".")]


def is_key(text: str) -> bool:
    """Whether `text` can be the hash of an entry, or its first digits."""
    return _KEY.fullmatch(text) is not None


def select(prefix: str) -> Path:
    """The one entry whose hash starts with `prefix`.

    Raises `UserError` when none or several do, naming them.
    """
    known = entries()
    found = [home for home in known if home.name.startswith(prefix)]
    if not is_key(prefix) or not found:
        raise UserError(
            f"no entry of the shelf {root()} starts with {prefix!r}; `fovea shelf list` shows "
            f"{f'all {len(known)}' if known else 'that it is empty'}"
        )
    if len(found) > 1:
        names = ", ".join(sorted(f"{home.name} ({home.parent.name})" for home in found))
        raise UserError(f"{len(found)} entries start with {prefix!r}: {names}; give more digits")
    return found[0]


def remove(home: Path) -> None:
    """Take an entry off the shelf; it is gone at once, and its files soon after.

    Raises `UserError` when it cannot be removed.
    """
    leaving = home.with_name(f".{home.name}.removed")
    try:
        home.rename(leaving)
        shutil.rmtree(leaving)
        if not any(home.parent.iterdir()):
            home.parent.rmdir()
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"could not remove {home}: {reason}; remove {leaving} by hand") from error


def size(home: Path) -> int:
    """Bytes of all files of an entry."""
    return sum(file.stat().st_size for file in home.rglob("*") if file.is_file())
