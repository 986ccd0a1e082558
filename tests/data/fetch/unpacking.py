"""Unpacking with an eye on everything around."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

from pipeline.data.fetch.extract import Unpacked, unpack
from tests.data.fetch.archives import Watch, tarred, zipped

FORMATS = {
    "zip": zipped,
    "stored zip": lambda files: zipped(files, zipfile.ZIP_STORED),
    "tar": tarred,
    "tar.gz": lambda files: tarred(files, "w:gz"),
}


def unpacked(place: Path, data: bytes, top: str = "photos") -> Unpacked:
    """Unpack into `place/inner`; whatever happens, nothing else may appear around it."""
    archive = place.parent / "toy.archive"
    archive.write_bytes(data)
    try:
        return unpack(archive, place / "inner", top, ".jpg", Watch())
    finally:
        assert {p.name for p in place.parent.iterdir()} == {"outer", "toy.archive"}
        assert {p.name for p in place.iterdir()} <= {"inner"}
        for path in place.rglob("*"):
            assert stat.S_IFMT(path.lstat().st_mode) in (stat.S_IFREG, stat.S_IFDIR)
