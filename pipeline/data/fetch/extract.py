"""Zip and tar archives into a fresh folder: nothing outside it, nothing but plain files.

Members are written by us, one by one, after `members` has admitted all of them; the unpackers of
the standard library, which restore modes and links, are used for reading only.
"""

from __future__ import annotations

import gzip
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, cast

from pipeline.data.fetch.members import Admission, Kind, Member, Refused
from pipeline.data.fetch.place import require_room
from pipeline.data.fetch.progress import Progress
from pipeline.errors import UserError
from pipeline.files import unwritable

_CHUNK = 1 << 20
_ENCRYPTED = 0x1
_BLOCK = 512
_DAMAGE = (
    zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, struct.error,
    NotImplementedError, RuntimeError, ValueError, OverflowError,
)  # fmt: skip
"""What the standard library raises for archives that are not what they say."""

Opener = Callable[[], IO[bytes]]


@dataclass(frozen=True)
class Unpacked:
    """What lies in a folder."""

    files: int
    bytes: int


def unpack(archive: Path, target: Path, top: str, suffix: str, progress: Progress) -> Unpacked:
    """Write the files of `archive` into the new folder `target`.

    Of an archive that has a folder `top`, its content alone is taken; of another one, everything.
    Zip's and gzip's CRCs are compared. Raises `Refused` when the archive is damaged, hostile (see
    `Admission.admit`) or has no file ending with `suffix`, `UserError` when it does not fit on the
    disk; `target` may then hold some files, and is to be thrown away.
    """
    try:
        with ExitStack() as stack:
            admission = Admission(archive.name, archive.stat().st_size)
            found = []
            for member, opener in stack.enter_context(_opened(archive, admission.limit)):
                if (path := admission.admit(member)) is not None:
                    found.append((path, member.size, opener))
            wanted = _below(top, found)
            if not any(path.suffix.lower() == suffix for path, _, _ in wanted):
                raise Refused(f"{archive} is another archive: it holds no {suffix} file")
            size = sum(size for _, size, _ in wanted)
            require_room(target.parent, size, f"unpacking {archive.name}")
            progress.begin(0, size)
            _write(archive, target, wanted, progress)
            return Unpacked(len(wanted), size)
    except _DAMAGE as error:
        raise _damaged(archive, error) from error
    except OSError as error:
        raise UserError(f"{archive} cannot be read: {error.strerror or error}") from error


def _write(
    archive: Path,
    target: Path,
    wanted: list[tuple[PurePosixPath, int, Opener]],
    progress: Progress,
) -> None:
    made: set[Path] = set()
    for relative, size, opener in wanted:
        path = target / relative
        with opener() as stream:
            try:
                if path.parent not in made:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    made.add(path.parent)
                out = path.open("xb")
            except OSError as error:
                raise unwritable(path, error) from error
            written = _copied(stream, out, path)
        if written != size:
            raise _damaged(archive, f"{str(relative)!r} has {written} bytes instead of {size}")
        progress(written)


def _copied(stream: IO[bytes], out: IO[bytes], path: Path) -> int:
    """Bytes copied; what reading raises is passed on, what writing raises says where."""
    written = 0
    try:
        while chunk := stream.read(_CHUNK):
            try:
                out.write(chunk)
            except OSError as error:
                raise unwritable(path, error) from error
            written += len(chunk)
    finally:
        try:
            out.close()
        except OSError as error:
            raise unwritable(path, error) from error
    return written


def _below(
    top: str, found: list[tuple[PurePosixPath, int, Opener]]
) -> list[tuple[PurePosixPath, int, Opener]]:
    """The files below `top`, relative to it; all of them where there are none."""
    inside = [
        (path.relative_to(top), size, opener)
        for path, size, opener in found
        if path.is_relative_to(top) and path != PurePosixPath(top)
    ]
    return inside or found


@contextmanager
def _opened(archive: Path, limit: int) -> Iterator[Iterator[tuple[Member, Opener]]]:
    """Members of an archive of any kind; each can be opened while this is."""
    with archive.open("rb") as stream:
        begin = stream.read(_BLOCK)
    if begin.startswith(b"PK"):
        with zipfile.ZipFile(archive) as opened:
            yield _zipped(opened)
    elif begin.startswith(b"\x1f\x8b"):
        with gzip.open(archive) as unzipped, tarfile.open(fileobj=unzipped, mode="r:") as tar:
            yield _tarred(tar, cast("IO[bytes]", unzipped), limit)
    elif begin[257:262] == b"ustar":
        with archive.open("rb") as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            yield _tarred(tar, stream, limit)
    else:
        raise Refused(f"{archive} is no zip or tar archive: it begins with {begin[:16]!r}")


def _zipped(opened: zipfile.ZipFile) -> Iterator[tuple[Member, Opener]]:
    for info in opened.infolist():
        # Names end at NUL for zipfile; what came before and behind it is in `orig_filename`.
        name = info.orig_filename
        encrypted = bool(info.flag_bits & _ENCRYPTED)
        yield Member(name, info.file_size, _zip_kind(info), encrypted), partial(opened.open, info)


def _zip_kind(info: zipfile.ZipInfo) -> Kind:
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode == stat.S_IFLNK:
        return Kind.LINK
    if mode == stat.S_IFDIR or info.is_dir():
        return Kind.FOLDER
    return Kind.FILE if mode in (0, stat.S_IFREG) else Kind.SPECIAL


def _tarred(tar: tarfile.TarFile, stream: IO[bytes], limit: int) -> Iterator[tuple[Member, Opener]]:
    for info in tar:
        if info.issym() or info.islnk():
            kind = Kind.LINK
        elif info.isdir():
            kind = Kind.FOLDER
        else:
            kind = Kind.FILE if info.isreg() else Kind.SPECIAL
        yield Member(info.name, info.size, kind), partial(_tar_member, tar, info)
    # A tar has no directory: one cut between two members is known by its missing end.
    stream.seek(tar.offset)
    if stream.read(_BLOCK) != bytes(_BLOCK):
        raise EOFError("it ends without an end mark")
    # Reading on to the end lets gzip compare its CRC.
    for _ in range(limit // _CHUNK + 2):
        if not stream.read(_CHUNK):
            return
    raise EOFError("its end never comes")


def _tar_member(tar: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    stream = tar.extractfile(info)
    if stream is None:
        raise tarfile.ReadError(f"{info.name!r} is no file")
    return stream


def _damaged(archive: Path, reason: object) -> Refused:
    text = repr(str(reason)[:200])[1:-1] or type(reason).__name__
    return Refused(f"{archive} is damaged ({text})")
