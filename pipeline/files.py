"""Files that are either whole or absent, and hashes that do not depend on where they lie."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import UserError

_CHUNK = 1 << 20


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_NUMBER = re.compile(r"\[Errno (\d+)\]")
_IN_THE_WAY = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR)


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling of `path`; rename it to `path` only if the block succeeds.

    The temporary name is removed on any failure, so a reader never meets a half-written file.
    Raises `UserError` when the disk is full, the folder cannot be written to, and the like.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix
        )
    except OSError as error:
        raise unwritable(path, error) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def unwritable(path: Path, error: OSError) -> UserError:
    """What to say when `path` could not be written."""
    # Copying a tree only passes on texts of the errors it met.
    number = int(found[1]) if (found := _NUMBER.search(str(error))) else error.errno
    advice = ""
    if number in _FULL:
        advice = "; make room on that disk and run again"
    elif number in _FORBIDDEN:
        advice = f"; make {path.parent} writable, or work in another folder"
    elif number in _IN_THE_WAY:
        advice = f"; {_obstacle(path)} is in the way: move it elsewhere"
    reason = os.strerror(number) if number else str(error)
    return UserError(f"could not write {path}: {reason}{advice}")


def _obstacle(path: Path) -> Path:
    """The file among the folders above `path`, or else `path`."""
    return next((parent for parent in path.parents if parent.is_file()), path)


def atomic_write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def atomic_write_text(path: Path, text: str) -> None:
    """Write UTF-8 `text` to `path`, whole or not at all."""
    atomic_write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write `value` as stable JSON (sorted keys, two-space indent), whole or not at all."""
    atomic_write_text(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON; a missing, unreadable or malformed file is a `UserError` that names it."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing; run `dvc repro` to make it") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # no JSON, no text, numbers or lists without end
        raise UserError(f"{path} is not valid JSON ({error}); remove it and run again") from error


def sha256_bytes(data: bytes) -> str:
    """Hexadecimal SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def sha256_json(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`; the order of keys does not matter."""
    return sha256_bytes(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


def sha256_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def tree_hash(path: Path) -> str:
    """SHA-256 over the sorted relative names and contents of all files below `path`.

    A single file hashes as `sha256_file`.
    """
    if path.is_file():
        return sha256_file(path)
    rows = [
        [str(file.relative_to(path).as_posix()), sha256_file(file)]
        for file in sorted(path.rglob("*"))
        if file.is_file()
    ]
    return sha256_json(rows)


def replace_tree(source: Path, target: Path) -> None:
    """Put the folder `source` in the place of `target`, copying across file systems if needed.

    The old folder is set aside until the new one stands, so a kill in between loses neither.
    Raises `UserError` when that cannot be done; both are then as they were.
    """
    arriving = target.with_name(f".{target.name}.new")
    leaving = target.with_name(f".{target.name}.old")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for leftover in (arriving, leaving):
            shutil.rmtree(leftover, ignore_errors=True)
        shutil.move(source, arriving)
        if target.exists():
            target.rename(leaving)
        arriving.rename(target)
    except OSError as error:
        _put_back(arriving, source)
        _put_back(leaving, target)
        raise unwritable(target, error) from error
    shutil.rmtree(leaving, ignore_errors=True)


def _put_back(moved: Path, origin: Path) -> None:
    if moved.exists() and not origin.exists():
        shutil.move(moved, origin)
    else:
        shutil.rmtree(moved, ignore_errors=True)
