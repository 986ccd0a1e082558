"""Archives are unpacked as they are, or refused whole; nothing is ever written elsewhere."""

from __future__ import annotations

import contextlib
import io
import random
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.data.fetch.extract import Unpacked, unpack
from pipeline.data.fetch.members import Refused
from pipeline.errors import UserError
from pipeline.files import tree_hash
from tests.conftest import ROOT
from tests.data.fetch.archives import Watch, images, noise, tarred, zipped

FORMATS = {
    "zip": zipped,
    "stored zip": lambda files: zipped(files, zipfile.ZIP_STORED),
    "tar": tarred,
    "tar.gz": lambda files: tarred(files, "w:gz"),
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder in a folder: what escapes from it would be seen."""
    (tmp_path / "outer").mkdir()
    return tmp_path / "outer"


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


@pytest.mark.parametrize("kind", FORMATS)
def test_files_come_out_as_they_went_in(place: Path, kind: str) -> None:
    files = images() | {"photos/deeper/notes.txt": b"", "photos/more/x.JPG": noise(2_500_000)}
    found = unpacked(place, FORMATS[kind](files))
    assert found == Unpacked(len(files), sum(map(len, files.values())))
    written = {
        f"photos/{p.relative_to(place / 'inner')}": p.read_bytes()
        for p in (place / "inner").rglob("*")
        if p.is_file()
    }
    assert written == files


def test_the_same_as_the_standard_library_makes(place: Path, tmp_path: Path) -> None:
    data = zipped(images())
    unpacked(place, data)
    zipfile.ZipFile(io.BytesIO(data)).extractall(tmp_path / "reference")
    assert tree_hash(place / "inner") == tree_hash(tmp_path / "reference" / "photos")


def test_other_folders_beside_the_wanted_one_are_left_out(place: Path) -> None:
    files = images(top="repo-main/data/photos") | {"repo-main/README": b"text"}
    assert unpacked(place, zipped(files), "repo-main/data").files == 3
    assert (place / "inner/photos/000.jpg").is_file()


def test_an_archive_without_that_folder_is_taken_from_its_root(place: Path) -> None:
    assert unpacked(place, zipped(images(top="train")), "maps").files == 3
    assert (place / "inner/train/000.jpg").is_file()


def test_files_are_plain_whatever_the_archive_says(place: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        info = zipfile.ZipInfo("photos/a.jpg")
        info.external_attr = (stat.S_IFREG | stat.S_ISUID | 0o777) << 16
        archive.writestr(info, b"x")
    unpacked(place, stream.getvalue())
    mode = (place / "inner/a.jpg").stat().st_mode
    assert not mode & (stat.S_ISUID | 0o111)


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


@pytest.mark.parametrize("kind", FORMATS)
def test_truncated_archives_are_damaged(place: Path, kind: str) -> None:
    whole = FORMATS[kind](images(2, size=700))
    rest = len(whole) if kind != "tar" else whole.rindex(noise(700, 1)[-9:]) + 512
    for length in sorted(random.Random(0).sample(range(2, rest), 40)):
        with pytest.raises(Refused, match=r"is damaged|is no zip or tar"):
            unpacked(place, whole[:length])
        for path in (place / "inner").rglob("*.jpg"):
            path.unlink()


def test_a_tar_cut_between_two_members_is_damaged(place: Path) -> None:
    whole = tarred(images(2, size=512))
    with pytest.raises(Refused, match="ends without an end mark"):
        unpacked(place, whole[: 2 * 1024])


@pytest.mark.parametrize("kind", ["zip", "stored zip", "tar.gz"])
def test_a_flipped_bit_is_damage(place: Path, kind: str) -> None:
    whole = bytearray(FORMATS[kind](images(1)))
    whole[len(whole) // 2] ^= 1
    with pytest.raises(Refused, match="is damaged"):
        unpacked(place, bytes(whole))


@pytest.mark.parametrize("data", [b"", b"<!DOCTYPE html>", b"PK", b"\x1f\x8b", bytes(2000)])
def test_what_is_no_archive_is_said_to_be_none(place: Path, data: bytes) -> None:
    with pytest.raises(Refused, match=r"is no zip or tar archive|is damaged"):
        unpacked(place, data)


def test_another_archive_under_this_name_is_noticed(place: Path) -> None:
    with pytest.raises(Refused, match=r"is another archive: it holds no \.jpg file"):
        unpacked(place, zipped({"photos/readme.txt": b"hello"}))
    assert not (place / "inner").exists()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_mangled_archives_never_do_worse_than_a_message(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(sorted(FORMATS)))
    content = bytearray(FORMATS[kind](images(2, size=200)))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    place = tmp_path_factory.mktemp("mangled") / "outer"
    place.mkdir()
    with contextlib.suppress(UserError):
        unpacked(place, bytes(content))


FULL = """
import resource, sys
from pathlib import Path
from pipeline.data.fetch.extract import unpack
from pipeline.errors import UserError
from tests.data.fetch.archives import Watch
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    unpack(Path(sys.argv[1]), Path(sys.argv[2]), "photos", ".jpg", Watch())
except UserError as error:
    print(error)
"""


def test_a_full_disk_is_said(place: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands for it."""
    archive = tmp_path / "toy.zip"
    archive.write_bytes(zipped(images(1)))
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(archive), str(place / "inner")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    message = f"could not write {place}/inner/000.jpg: File too large; make room on that disk"
    assert message in done.stdout, done.stderr


def test_an_archive_that_cannot_be_read_is_named(place: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.zip cannot be read: No such file"):
        unpack(place / "gone.zip", place / "inner", "", ".jpg", Watch())


def test_a_path_that_is_too_long_for_the_disk_is_said(place: Path) -> None:
    target = place
    while len(str(target)) < 3500:
        target /= "d" * 200
    target.mkdir(parents=True)
    archive = place.parent / "toy.zip"
    archive.write_bytes(zipped({"/".join(["e" * 200] * 4) + "/a.jpg": b"x"}))
    with pytest.raises(UserError, match=r"could not write .*: File name too long"):
        unpack(archive, target / "inner", "", ".jpg", Watch())
