"""What a killed DVC cannot get past by itself: `python -m pipeline.dvc_lock` mends it.

DVC rewrites `.dvc/tmp/rwlock` in place. A kill in that moment leaves half a file, and every later
run ends with "RWLock-file … corrupted". What it held, locks of processes that are gone, is nothing
to keep.
"""

from __future__ import annotations

import json
from pathlib import Path

FOLDER = Path(".dvc/tmp")
FILE = FOLDER / "rwlock"


def damaged(file: Path = FILE) -> bool:
    """Whether the lock file is there and no JSON."""
    try:
        json.loads(file.read_bytes())
    except FileNotFoundError:
        return False
    except ValueError:
        return True
    return False


def mend(file: Path = FILE) -> bool:
    """Remove a damaged lock file, unless a DVC at work is writing it; whether that was needed."""
    if not damaged(file):
        return False
    from dvc.lock import LockError, make_lock  # a second's import, seldom needed

    try:
        with make_lock(str(file.with_name("rwlock.lock")), tmp_dir=str(file.parent)):
            if not damaged(file):
                return False
            file.unlink()
    except LockError:
        return False
    return True


if __name__ == "__main__":
    if mend():
        print(f"removed {FILE}, which a killed run had left half written")
