"""Which members of an archive may be unpacked, and where to: an archive is not to be trusted.

What a name or a header could do to the folders around it is refused here, before a byte is
written. All or nothing: one bad member refuses the archive.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath

from pipeline.errors import UserError

MAX_MEMBERS = 2_000_000
MAX_RATIO = 100
"""Unpacked bytes per packed byte, over the whole archive: photographs have 1, JSON has 5."""
SMALL = 10_000_000
"""Bytes that any archive may unpack to."""
_LONGEST_NAME, _LONGEST_PATH = 255, 1000
_LEFTOVERS = frozenset({"__MACOSX", ".DS_Store", "Thumbs.db", ".svn", "desktop.ini"})
"""What desktops and version control leave in archives."""


class Refused(UserError):  # noqa: N818
    """An archive that is damaged or hostile; nothing of it is kept."""


class Kind(Enum):
    """What a member would become."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    SPECIAL = "device"


@dataclass(frozen=True)
class Member:
    """What an archive's directory says of one of its members."""

    name: str
    size: int
    """Bytes when unpacked, as it claims."""
    kind: Kind = Kind.FILE
    encrypted: bool = False


class Admission:
    """Looks at one member after the other of an archive of `packed` bytes, called `archive`."""

    def __init__(self, archive: str, packed: int) -> None:
        self.archive = archive
        self.limit = max(SMALL, MAX_RATIO * packed)
        """Bytes that all members together may have."""
        self.total = 0
        self._count = 0
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._spelled: dict[str, str] = {}

    def admit(self, member: Member) -> PurePosixPath | None:
        """Where a file goes, relative to the target; `None` for what is left out.

        Folders are left out (files bring theirs along), as are the leftovers of desktops. Raises
        `Refused` for a name that leads elsewhere, for links, devices and encrypted members, for
        names that differ by case alone, and for more bytes than an honest archive holds.
        """
        try:
            path = safe_path(member.name)
        except ValueError as error:
            raise self._refused(member.name, str(error)) from error
        self._count += 1
        if self._count > MAX_MEMBERS:
            raise Refused(f"{self.archive} is refused: it has more than {MAX_MEMBERS} members")
        if path is None or _LEFTOVERS.intersection(path.parts):
            return None
        if member.kind in (Kind.LINK, Kind.SPECIAL):
            raise self._refused(member.name, f"is a {member.kind.value}")
        if member.encrypted:
            raise self._refused(member.name, "is encrypted")
        if member.kind is Kind.FOLDER:
            return None
        self._weigh(member)
        self._place(member.name, path)
        return path

    def _weigh(self, member: Member) -> None:
        self.total += max(0, member.size)
        if member.size < 0 or self.total > self.limit:
            raise self._refused(
                member.name,
                f"takes what is unpacked past {self.limit} bytes, {MAX_RATIO} times the archive's "
                "own: no honest archive does",
            )

    def _place(self, name: str, path: PurePosixPath) -> None:
        """Raise `Refused` if `path` would meet another member on some file system."""
        for above in list(path.parents)[:-1]:
            if _folded(above) in self._files:
                raise self._refused(name, f"lies in {str(above)!r}, which is a file")
            self._spell(name, above)
            self._folders.add(_folded(above))
        self._spell(name, path)
        folded = _folded(path)
        if folded in self._folders:
            raise self._refused(name, "is a file and a folder")
        if folded in self._files:
            raise self._refused(name, "is there twice")
        self._files.add(folded)

    def _spell(self, name: str, path: PurePosixPath) -> None:
        other = self._spelled.setdefault(_folded(path), str(path))
        if other != str(path):
            raise self._refused(name, f"differs from {other!r} by case alone")

    def _refused(self, name: str, reason: str) -> Refused:
        return Refused(
            f"{self.archive} is refused, nothing of it was unpacked: its member {name[:200]!r} "
            f"{reason}"
        )


def safe_path(name: str) -> PurePosixPath | None:
    """The relative path that a member's name stands for; `None` for the top itself (`./`).

    Raises `ValueError` saying why when it could lead anywhere but below the target, or is no name
    that every file system takes.
    """
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        raise ValueError("has characters that no name should have")
    if "\\" in name:
        raise ValueError("has a backslash")
    if name.startswith("/"):
        raise ValueError("is an absolute path")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ValueError("leads out of the archive")
    if parts and parts[0][1:2] == ":":
        raise ValueError("begins with a drive")
    if len(name) > _LONGEST_PATH or any(len(p.encode()) > _LONGEST_NAME for p in parts):
        raise ValueError("is too long")
    return PurePosixPath(*parts) if parts else None


def _folded(path: PurePosixPath) -> str:
    """The same for all names that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", str(path)).casefold())
