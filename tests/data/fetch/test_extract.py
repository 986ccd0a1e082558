"""Archives are unpacked as they are, or refused whole; nothing is ever written elsewhere."""

from __future__ import annotations

import contextlib
import io
import random
import stat
import subprocess
import sys
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
from tests.data.fetch.unpacking import FORMATS, unpacked


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


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
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
