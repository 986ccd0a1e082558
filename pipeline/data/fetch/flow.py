"""From a name to a data set on disk: download, verify, unpack, put in place, one part at a time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.data.fetch import digests, receipts
from pipeline.data.fetch.digests import Digest, Expected
from pipeline.data.fetch.download import Policy, download
from pipeline.data.fetch.extract import Unpacked, unpack
from pipeline.data.fetch.members import Refused
from pipeline.data.fetch.place import WORK, gigabytes
from pipeline.data.fetch.progress import Megabytes
from pipeline.data.fetch.sources import Archive, Source
from pipeline.errors import UserError
from pipeline.files import unwritable
from pipeline.lock import alone


@dataclass(frozen=True)
class Options:
    """How to fetch."""

    only: tuple[str, ...] = ()
    """Parts; all where none is named."""
    given: Path | None = None
    """A folder with archives that were downloaded by hand."""
    keep: bool = False
    """Whether archives stay in `.fetch` after they are unpacked."""
    accept: bool = False
    """Whether an archive with another digest than expected is trusted from now on."""
    policy: Policy | None = None


@dataclass(frozen=True)
class Part:
    """One archive's content, in place."""

    archive: Archive
    files: int
    fresh: bool
    """Whether it was put there just now."""


def fetch(source: Source, root: Path, options: Options, say: Callable[[str], None]) -> list[Part]:
    """Bring the parts of `source` to `root`, each whole or not at all; those there are left alone.

    `say` is told what is done, in one line each. Raises `UserError` for everything that people can
    mend; what is done by then stays, and the next call goes on from there.
    """
    chosen = source.chosen(options.only)
    if options.given is not None and not options.given.is_dir():
        raise UserError(f"{options.given} is no folder; --from takes the one the archives lie in")
    _require_archives(source, root, chosen, options)
    with alone(root / WORK / "lock", "another fetch"):
        standing = {archive.part: receipts.standing(root, archive) for archive in chosen}
        done = []
        for archive in chosen:
            if (receipt := standing[archive.part]) is not None:
                say(f"{archive.part}: there already, {receipt.files} files")
                done.append(Part(archive, receipt.files, fresh=False))
                continue
            content = _bring(archive, root, options, say)
            say(f"{archive.part}: {content.files} files in {root / archive.into}")
            done.append(Part(archive, content.files, fresh=True))
        return done


def _bring(archive: Archive, root: Path, options: Options, say: Callable[[str], None]) -> Unpacked:
    """One archive from its publisher, or from where it lies, to its folder."""
    kept = root / WORK / archive.file
    known = digests.expected(archive)
    file = _at_hand(archive, root, options.given) or _restored(kept, options) or kept
    if not file.is_file():
        size = known.size if known and not options.accept else None
        with Megabytes(f"download {archive.part}") as progress:
            download(archive.url, kept, progress, options.policy, size)
    try:
        digest = _verified(archive, file, None if options.accept else known)
        content = _unpacked(archive, file, root, digest)
    except Refused as refused:
        raise UserError(f"{archive.part}: {refused}. {_aside(file, kept)}") from refused
    # Only what proved to be a whole archive is trusted.
    if known is None or not known.holds(digest):
        digests.trust(archive, digest)
        say(f"{archive.part}: trusted from now on, SHA-256 {digest.sha256}")
    if file == kept and not options.keep and not archive.by_hand:
        kept.unlink(missing_ok=True)
    return content


def _verified(archive: Archive, file: Path, known: Expected | None) -> Digest:
    """The digest of `file`; raises `Refused` unless it is the known one, where one is."""
    with Megabytes(f"verify {archive.part}") as progress:
        digest = digests.measure(file, progress)
    if known and not known.holds(digest):
        raise Refused(f"{file} has {known.shown(digest)}; it was not unpacked")
    return digest


def _unpacked(archive: Archive, file: Path, root: Path, digest: Digest) -> Unpacked:
    """Unpack beside the root's folders, and rename into place when all is written."""
    temporary = root / WORK / f"{archive.part}.unpacking"
    target = root / archive.into
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        with Megabytes(f"unpack {archive.part}") as progress:
            content = unpack(file, temporary, archive.top, archive.suffix, progress)
        receipts.write(root, archive, digest, content)
        try:
            temporary.rename(target)
        except OSError as error:
            raise unwritable(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return content


def _at_hand(archive: Archive, root: Path, given: Path | None) -> Path | None:
    """The archive where it lies already: in the folder named by the user, or kept."""
    places = [given] if given is not None else []
    return next(
        (p / archive.file for p in [*places, root / WORK] if (p / archive.file).is_file()), None
    )


def _restored(kept: Path, options: Options) -> Path | None:
    """The archive that was refused, if it is to be accepted now."""
    refused = _refused(kept)
    if options.accept and refused.is_file():
        return refused.replace(kept)
    return None


def _aside(file: Path, kept: Path) -> str:
    """Put what was refused aside if it is ours to move; what to do now, in words."""
    if file == kept:
        refused = kept.replace(_refused(kept))
        return (
            f"It is kept as {refused}. Run again to download it anew; if its publisher has "
            "replaced it, --accept takes it and trusts it from now on"
        )
    return (
        "Download it again, or leave --from out to have that done; if its publisher has replaced "
        "it, --accept takes it and trusts it from now on"
    )


def _refused(kept: Path) -> Path:
    return kept.with_name(f"{kept.name}.refused")


def _require_archives(
    source: Source, root: Path, chosen: Sequence[Archive], options: Options
) -> None:
    """Raise `UserError` with instructions when some must be downloaded by hand first."""
    absent = [
        archive
        for archive in chosen
        if archive.by_hand
        and not _at_hand(archive, root, options.given)
        and not os.path.lexists(root / archive.into)
    ]
    if not absent:
        return
    lines = [
        f"  {archive.file}{f' ({archive.about})' if archive.about else ''}\n    {archive.url}"
        for archive in absent
    ]
    looked = f", and not all lie in {options.given}" if options.given else ""
    raise UserError(
        f"{source.title} cannot be fetched by a program ({absent[0].by_hand}){looked}.\n"
        f"Download with a browser, from {source.page} or from\n"
        + "\n".join(lines)
        + f"\ninto one folder, under these names, then: fovea data fetch {source.name} "
        f"--from {options.given or 'FOLDER'}"
    )


def described(source: Source) -> str:
    """What there is to fetch, in one line."""
    sizes = [archive.size for archive in source.archives]
    total = gigabytes(sum(filter(None, sizes))) if all(sizes) else "size not known beforehand"
    return f"{source.title}: {len(source.archives)} archives, {total}; terms: {source.terms}"
