"""Downloads that go on where they stopped: after a drop, after Ctrl-C, after a kill.

Bytes gather in `NAME.part`. Beside it, `NAME.part.json` says what the server told of the file they
belong to (ETag or date, size); only a server that still tells the same is asked for the rest.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from pipeline.data.fetch.place import gigabytes, require_room
from pipeline.data.fetch.progress import Progress
from pipeline.data.fetch.web import Answer, Dropped, asked
from pipeline.errors import UserError
from pipeline.files import read_json, unwritable, write_json

_CHUNK = 1 << 18
_PARTIAL, _UNSATISFIABLE = 206, 416


@dataclass(frozen=True)
class Policy:
    """How patient a download is."""

    attempts: int = 6
    """Failures in a row, each without `step` bytes more than ever before, until it gives up."""
    step: int = 1_000_000
    """Bytes that count as getting on."""
    timeout: float = 30.0
    """Seconds without a byte that count as a dropped connection."""
    pause: float = 1.0
    """Seconds before the second attempt; doubled for each further one."""
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class _Told:
    """What a server said of the file whose bytes were taken."""

    url: str
    etag: str
    modified: str
    total: int | None

    @property
    def validator(self) -> str:
        """For If-Range: a strong ETag, else the date; empty where neither was given."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified


def download(
    url: str,
    target: Path,
    progress: Progress,
    policy: Policy | None = None,
    size: int | None = None,
) -> None:
    """Bring the file at `url` to `target`, going on from an earlier `.part`.

    `size` is the number of bytes it must have, where that is known. Nothing is verified beyond
    lengths: that is for digests. Raises `UserError` when the server refuses, keeps failing, or
    offers something else, and when the disk is full; the `.part` stays for the next call.
    """
    patience = policy or Policy()
    part = _part(target)
    best, failures = _bytes(part) if _told(part, url) else 0, 0
    while True:
        try:
            _attempt(url, part, progress, patience.timeout, size)
            break
        except Dropped as dropped:
            reached = _bytes(part)
            failures = 0 if reached - best >= patience.step else failures + 1
            best = max(best, reached)
            if failures >= patience.attempts:
                raise UserError(
                    f"{url}: {dropped}, {failures} times in a row; {gigabytes(reached)} are kept, "
                    "the same command goes on from there"
                ) from dropped
            wait = max(dropped.wait, patience.pause * 2 ** min(max(0, failures - 1), 5))
            print(f"{dropped}; trying again in {wait:.0f} s", file=sys.stderr)
            patience.sleep(wait)
    try:
        part.replace(target)
        _note(part).unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(target, error) from error


def _attempt(url: str, part: Path, progress: Progress, timeout: float, size: int | None) -> None:
    """One connection; returns when the file is whole."""
    told = _told(part, url)
    have = _bytes(part) if told and told.validator else 0
    if told and have and told.total == have:
        return
    headers = {"Range": f"bytes={have}-", "If-Range": told.validator} if told and have else {}
    with asked(url, headers, timeout) as answer:
        first, whole = answer.span
        if answer.status == _UNSATISFIABLE:
            if have and whole == have:
                return
            _discard(part)
            raise Dropped("the server has fewer bytes than were there")
        if answer.status != _PARTIAL:
            first, whole = 0, answer.length
        elif told is None or first != have or not _same(told, answer, whole):
            _discard(part)
            raise Dropped("the file has changed on the server")
        elif whole is None:
            whole = told.total
        _require_kind(url, answer, whole, size)
        require_room(part.parent, 2 * (whole or 0) - have, f"{part.stem} and what it unpacks to")
        progress.begin(first or 0, whole)
        _receive(url, part, answer, progress, first or 0, whole)


def _receive(
    url: str, part: Path, answer: Answer, progress: Progress, first: int, whole: int | None
) -> None:
    """Append the body at `first`; raises `Dropped` unless it ends where it was said to."""
    at = first
    try:
        with part.open("r+b" if first else "wb") as out:
            out.seek(first)
            if not first:
                told = _Told(url, answer.told("ETag"), answer.told("Last-Modified"), whole)
                write_json(_note(part), asdict(told))
            while chunk := answer.read(_CHUNK):
                out.write(chunk)
                out.flush()
                at += len(chunk)
                progress(len(chunk))
                # Who tells no size, or a false one, must not fill the disk.
                if whole is None:
                    require_room(part.parent, _CHUNK, f"the rest of {url}, of unknown size,")
                elif at > whole:
                    break
    except OSError as error:
        raise unwritable(part, error) from error
    if whole is not None and at != whole:
        raise Dropped(f"the server promised {whole} bytes and sent {at}")


def _same(told: _Told, answer: Answer, whole: int | None) -> bool:
    """Whether a part belongs to the file whose bytes are there."""
    name, value = ("ETag", told.etag) if told.etag else ("Last-Modified", told.modified)
    return (answer.told(name) or value) == value and (whole is None or told.total in (None, whole))


def _require_kind(url: str, answer: Answer, whole: int | None, size: int | None) -> None:
    """Raise `UserError` for what cannot be the archive, before any byte of it is taken."""
    if answer.headers.get("Content-Type", "").lower().startswith("text/html"):
        raise UserError(
            f"{url}: the server sent a web page, not an archive; open it in a browser to see "
            "what it says, download by hand, and go on with --from FOLDER"
        )
    if size is not None and whole is not None and whole != size:
        raise UserError(
            f"{url}: the server offers {whole} bytes, but the file is known to have {size}; "
            "if its publisher has replaced it, --accept takes the new one"
        )


def _part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def _told(part: Path, url: str) -> _Told | None:
    """What is known of the bytes in `part`; `None` if nothing, or if they are of another file."""
    with suppress(UserError, TypeError, KeyError):
        content = read_json(_note(part))
        told = _Told(**{field.name: content[field.name] for field in fields(_Told)})
        texts = all(isinstance(text, str) for text in (told.url, told.etag, told.modified))
        if texts and isinstance(told.total, int | None) and told.url == url:
            return told
    return None
