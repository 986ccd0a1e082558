"""What has been unpacked where: one small file per archive, compared with the folder later."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from pipeline.data.fetch.digests import Digest
from pipeline.data.fetch.extract import Unpacked
from pipeline.data.fetch.place import WORK
from pipeline.data.fetch.sources import Archive
from pipeline.errors import UserError
from pipeline.files import read_json, write_json


@dataclass(frozen=True)
class Receipt:
    """One archive as it was unpacked."""

    part: str
    url: str
    sha256: str
    """Of the archive."""
    files: int
    bytes: int
    date: str


def write(root: Path, archive: Archive, digest: Digest, content: Unpacked) -> None:
    """Note that `content` of `archive` is about to lie in its folder below `root`."""
    today = datetime.now(UTC).date().isoformat()
    receipt = Receipt(archive.part, archive.url, digest.sha256, content.files, content.bytes, today)
    write_json(_file(root, archive), asdict(receipt))


def standing(root: Path, archive: Archive) -> Receipt | None:
    """The receipt of `archive` if its folder is as it was unpacked; `None` if there is no folder.

    Raises `UserError` for a folder that somebody else made, or that has changed: neither is ours
    to replace.
    """
    folder = root / archive.into
    if not os.path.lexists(folder):
        return None
    file = _file(root, archive)
    if not file.is_file():
        raise UserError(
            f"{folder} is there already and was not fetched; move it elsewhere, or choose another "
            f"place with --to FOLDER (to use what is there: fovea data add NAME {root})"
        )
    receipt = _read(file)
    found = _count(folder)
    if found != Unpacked(receipt.files, receipt.bytes):
        raise UserError(
            f"{folder} has changed since it was fetched: {found.files} files of {found.bytes} "
            f"bytes where there were {receipt.files} of {receipt.bytes}; move it elsewhere and "
            "run again to have it fetched anew"
        )
    return receipt


def _file(root: Path, archive: Archive) -> Path:
    return root / WORK / f"{archive.part}.json"


def _read(file: Path) -> Receipt:
    content = read_json(file)
    try:
        return Receipt(**{field.name: content[field.name] for field in fields(Receipt)})
    except (KeyError, TypeError) as error:
        raise UserError(f"{file} is no receipt; remove it and the folder it is about") from error


def _count(folder: Path) -> Unpacked:
    """Files below `folder`; a desktop's own are not counted."""
    files = size = 0
    for above, _, names in os.walk(folder):
        for name in names:
            if name not in (".DS_Store", "Thumbs.db"):
                files += 1
                size += (Path(above) / name).lstat().st_size
    return Unpacked(files, size)
