"""Hostile archives are refused whole, before a byte of them is written."""

from __future__ import annotations

import io
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from pipeline.data.fetch.members import Refused
from tests.data.fetch.archives import images, tarred, zipped
from tests.data.fetch.unpacking import unpacked


def zip_with(name: str, kind: int = stat.S_IFREG, content: bytes = b"x") -> bytes:
    """Two photographs and a member of another kind."""
    stream = io.BytesIO(zipped(images(2)))
    with zipfile.ZipFile(stream, "a") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = (kind | 0o644) << 16
        archive.writestr(info, content)
    return stream.getvalue()


def tar_with(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    """Two photographs and a member of another kind."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, data in images(2).items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, link
        archive.addfile(info)
    return stream.getvalue()


HOSTILE = {
    "zip ..": (zip_with("../escaped.jpg"), "leads out"),
    "zip deep ..": (zip_with("photos/../../escaped.jpg"), "leads out"),
    "zip absolute": (zip_with("/tmp/escaped.jpg"), "absolute"),
    "zip backslash": (zip_with("..\\escaped.jpg"), "backslash"),
    "zip symlink": (zip_with("photos/l.jpg", stat.S_IFLNK, b"/etc/passwd"), "is a link"),
    "zip symlink inside": (zip_with("photos/l.jpg", stat.S_IFLNK, b"000.jpg"), "is a link"),
    "zip device": (zip_with("photos/d.jpg", stat.S_IFCHR), "is a device"),
    "zip fifo": (zip_with("photos/d.jpg", stat.S_IFIFO), "is a device"),
    "zip case": (zip_with("photos/000.JPG"), "by case alone"),
    "tar ..": (tar_with("../escaped.jpg"), "leads out"),
    "tar absolute": (tar_with("/tmp/escaped.jpg"), "absolute"),
    "tar symlink": (tar_with("photos/l", tarfile.SYMTYPE, "../../.."), "is a link"),
    "tar hard link": (tar_with("photos/l", tarfile.LNKTYPE, "/etc/passwd"), "is a link"),
    "tar device": (tar_with("photos/d", tarfile.CHRTYPE), "is a device"),
    "tar block device": (tar_with("photos/d", tarfile.BLKTYPE), "is a device"),
    "tar fifo": (tar_with("photos/d", tarfile.FIFOTYPE), "is a device"),
    "tar case": (tar_with("Photos/x.jpg"), "by case alone"),
    "tar twice": (tar_with("photos/000.jpg"), "is there twice"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused_before_a_byte_is_written(place: Path, name: str) -> None:
    data, reason = HOSTILE[name]
    with pytest.raises(Refused, match=reason):
        unpacked(place, data)
    assert not (place / "inner").exists()


def test_an_archive_through_its_own_link_is_refused(place: Path) -> None:
    """A link first, then a member that would be written through it."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        link = tarfile.TarInfo("photos/out")
        link.type, link.linkname = tarfile.SYMTYPE, "../.."
        archive.addfile(link)
        info = tarfile.TarInfo("photos/out/escaped.jpg")
        archive.addfile(info, io.BytesIO())
    with pytest.raises(Refused, match="'photos/out' is a link"):
        unpacked(place, stream.getvalue())


def test_an_encrypted_member_is_refused(place: Path) -> None:
    data = bytearray(zipped(images(1)))
    data[6] |= 1  # of the local header
    data[data.index(b"PK\x01\x02") + 8] |= 1  # of the directory
    with pytest.raises(Refused, match="is encrypted"):
        unpacked(place, bytes(data))


def test_a_bomb_is_refused_by_its_ratio(place: Path) -> None:
    bomb = zipped({"photos/a.jpg": bytes(20_000_000)})
    assert len(bomb) < 30_000
    with pytest.raises(Refused, match="100 times the archive's own: no honest archive does"):
        unpacked(place, bomb)


def test_a_bomb_in_gzip_is_refused_while_it_is_read(place: Path) -> None:
    with pytest.raises(Refused, match="no honest archive does"):
        unpacked(place, tarred({"photos/a.jpg": bytes(20_000_000)}, "w:gz"))


def test_a_bomb_of_members_that_share_their_bytes_is_refused(place: Path) -> None:
    """One compressed stream, listed many times over, as overlapping bombs do."""
    one = zipped({"photos/a.jpg": bytes(1_000_000)})
    start = one.index(b"PK\x01\x02")
    entry = bytearray(one[start : one.index(b"PK\x05\x06")])
    entries = b"".join(
        bytes(entry[:46]) + f"photos/{n:06d}.jpg".encode().ljust(17) for n in range(50)
    )
    name_size = struct.pack("<H", 17)
    entries = b"".join(
        entries[i : i + 28] + name_size + entries[i + 30 : i + 63]
        for i in range(0, len(entries), 63)
    )
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 50, 50, len(entries), start, 0)
    with pytest.raises(Refused, match="no honest archive does"):
        unpacked(place, one[:start] + entries + end)


def test_a_member_that_grows_beyond_what_it_claims_is_damage(place: Path) -> None:
    """The directory says less than the stream holds: no byte more is written."""
    data = bytearray(zipped({"photos/a.jpg": bytes(5_000_000)}))
    directory = data.index(b"PK\x01\x02")
    data[22:26] = data[directory + 24 : directory + 28] = struct.pack("<L", 1000)
    with pytest.raises(Refused, match="is damaged"):
        unpacked(place, bytes(data))
    assert sum(p.stat().st_size for p in place.rglob("*") if p.is_file()) <= 1000
