"""Small archives, honest and hostile, and what watches a download."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping

import numpy as np

from pipeline.data.fetch.sources import Archive, Source


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that do not compress."""
    return np.random.default_rng(seed).bytes(size)


def zipped(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return stream.getvalue()


def tarred(files: Mapping[str, bytes], mode: str = "w") -> bytes:
    """A tar archive; mode `w:gz` for a compressed one."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def images(count: int = 3, top: str = "photos", size: int = 3000) -> dict[str, bytes]:
    """Names and bytes that pass for photographs."""
    return {f"{top}/{n:03d}.jpg": noise(size, n) for n in range(count)}


def source(url: str, name: str = "toy", **more: object) -> Source:
    """A data set of one archive with photographs."""
    fields = {
        "part": "photos", "file": "photos.zip", "into": "photos", "top": "photos", "suffix": ".jpg",
    } | more  # fmt: skip
    return Source(name, "Toy", "http://example.org/toy", "none", (Archive(url=url, **fields),))


class Watch:
    """Progress that only remembers."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, int | None]] = []
        self.count = 0

    def begin(self, done: int, total: int | None) -> None:
        self.begun.append((done, total))

    def __call__(self, count: int) -> None:
        self.count += count
