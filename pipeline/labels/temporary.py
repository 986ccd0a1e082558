"""Temporary files that a killed writer leaves behind, and a later one can tell from a live one's.

The name carries host and process, so a writer clears only names of its own shards whose process is
gone. Files of another host stay until `merge`, which runs when no writer is left.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import UserError
from pipeline.files import unwritable

_MARK = ".tmp-"


def replace_bytes(path: Path, data: bytes) -> None:
    """Write `data` under a temporary name beside `path`, then rename: whole or not at all."""
    temporary = path.with_name(f".{path.name}{_MARK}{_host()}-{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"{unwritable(path, error)}; complete shards are kept") from error
    finally:
        temporary.unlink(missing_ok=True)


def remove_stale(folder: Path, stem: str) -> None:
    """Remove temporary files of `stem` (a file name without suffix) that no live process writes."""
    for path in _temporaries(folder, stem):
        host, _, process = path.name.rpartition(_MARK)[2].rpartition("-")
        if host == _host() and not (process.isdigit() and _is_alive(int(process))):
            path.unlink(missing_ok=True)


def remove_all(folder: Path) -> None:
    """Remove every temporary file of a store; only for when no writer is left."""
    for path in _temporaries(folder, "*"):
        path.unlink(missing_ok=True)


def _temporaries(folder: Path, stem: str) -> Iterator[Path]:
    return folder.glob(f".{stem}.*{_MARK}*")


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9_.]", "_", platform.node()) or "host"


def _is_alive(process: int) -> bool:
    if process == os.getpid():
        return False  # this process writes one file at a time: what is left has an earlier owner
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
