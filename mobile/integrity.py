"""Whether an exported file is the one that was written: by the hash that lies beside it.

A runtime refuses a file that is cut short, but bytes that changed inside can pass its verifier and
give other maps, or end the process from native code. Exports and bundles carry hashes, so there
such a file is refused before it is opened. A file alone has only its runtime's verifier.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import UserError
from pipeline.files import read_json, tree_hash

EXPORT = "export.json"
BUNDLE = "manifest.json"


def check(path: Path) -> None:
    """`UserError` when an export report or bundle manifest around `path` has another hash of it."""
    for source, digest in _stated(path):
        found = tree_hash(path)
        if found != digest:
            raise UserError(
                f"{path} is damaged or was replaced: its sha256 is {found[:12]}…, {source} says "
                f"{digest[:12]}…; export it again, or install the bundle again"
            )


def _stated(path: Path) -> list[tuple[Path, str]]:
    """Where a hash of `path` is written down, and the hash; nothing for a file that is missing."""
    if not path.exists():
        return []
    report = path.parent / EXPORT
    if report.is_file():
        content = read_json(report)
        if isinstance(content, dict) and content.get("file") == path.name:
            return [(report, str(content.get("sha256")))]
    return _in_bundle(path.absolute())


def _in_bundle(path: Path) -> list[tuple[Path, str]]:
    """The same for `BUNDLE/artefacts/RECIPE/FILE`."""
    if len(path.parents) < 3 or not (path.parents[2] / BUNDLE).is_file():
        return []
    manifest = path.parents[2] / BUNDLE
    content = read_json(manifest)
    artefacts = content.get("artefacts") if isinstance(content, dict) else None
    if not isinstance(artefacts, dict):
        return []
    name = path.relative_to(manifest.parent).as_posix()
    entries = [entry for entry in artefacts.values() if isinstance(entry, dict)]
    return [(manifest, str(e.get("sha256"))) for e in entries if e.get("path") == name]
