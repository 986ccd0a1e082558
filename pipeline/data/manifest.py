"""The list of images each role consists of: what later stages depend on instead of the images.

A row holds an image's id, its files relative to the root, their sizes and a cheap fingerprint, so
a manifest is the same wherever the data set lies and changes when the data does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.data import layouts, roots
from pipeline.data.agree import Findings, examine
from pipeline.data.editions import require_edition
from pipeline.data.layouts import Record
from pipeline.data.records import FIXATIONS, LABELS
from pipeline.data.threads import in_threads
from pipeline.errors import UserError
from pipeline.files import atomic_write_text, read_json, sha256_bytes, sha256_json, write_json

MANIFEST = "manifest.json"
HEAD_BYTES = 1 << 16
"""How much of each file the fingerprint covers, besides its size."""

_FORMAT = 1
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Source:
    """Where a role's images come from."""

    layout: str
    root: str
    """Registered name, never a path."""
    split: str
    limit: int | None = None
    """Only so many images: the first by id, or of those with a class some of every class."""
    edition: int | None = None
    """Of the annotation; None: the one that the layout means, where there are several."""
    classes: str | None = None
    """The class list of its label images, where it has any."""


@dataclass(frozen=True)
class Row:
    """One image of a manifest."""

    id: str
    files: dict[str, str]
    """`image`, `map`, `labels`, `fixations`, … where they exist: paths relative to the root."""
    bytes: dict[str, int]
    """Size of each file."""
    fingerprint: dict[str, str]
    """SHA-256 over size and first 64 KiB of each file."""
    reader: str = "salicon"
    """As a record's."""
    blur: float | None = None
    """As a record's."""
    classes: str | None = None
    """As a record's."""
    target: int | None = None
    """As a record's."""


@dataclass(frozen=True)
class Role:
    """A role read back, with its files found."""

    records: list[Record]
    layout: str
    root_name: str
    split: str


@dataclass(frozen=True)
class Listed:
    """A role's images as found."""

    rows: list[Row]
    remarks: list[str]
    """What is used with a part left out, one line each."""
    held_out: int = 0
    """Images of the pool that are left out because they are validated on."""


def look(records: Sequence[Record], root: Path, progress: Progress | None = None) -> Listed:
    """Fingerprint every record and look at its files; `progress` is told how many more are done.

    Raises `UserError` naming the first files (five at most) that cannot be used: cut short, no
    image, of another shape than their image, … (see `agree.examine`).
    """
    rows: list[Row] = []
    remarks: list[str] = []
    faults: list[str] = []
    for row, found in in_threads(lambda record: _row(record, root), records):
        rows.append(row)
        remarks += found.remarks
        faults += found.faults
        if progress:
            progress(1)
    if faults:
        more = f"; and {len(faults) - 5} more: fovea data check {root}" if len(faults) > 5 else ""
        raise UserError("; ".join(faults[:5]) + more)
    return Listed(rows, remarks)


def write(folder: Path, roles: dict[str, Source], progress: Progress | None = None) -> None:
    """`collect`, then `save`."""
    save(folder, roles, collect(roles, progress))


def collect(roles: dict[str, Source], progress: Progress | None = None) -> dict[str, Listed]:
    """List and look at the images of every role.

    Images of `pool` that are also in `val` are left out. Raises `UserError` when a role cannot be
    scanned or holds files that cannot be used, when an id occurs both in `train` and `pool`, or
    when an image is both in `train` and `val`.
    """
    listed: dict[str, Listed] = {}
    for name, source in roles.items():
        root = roots.resolve(source.root)
        try:
            records = layouts.scan(source.layout, root, source.split)
            require_edition(records, source.layout, source.edition)
            few = limited(records, source.limit)
            records = [replace(r, classes=source.classes) for r in few]
            listed[name] = look(records, root, progress)
        except UserError as error:
            raise UserError(f"data.{name}: {error}") from error
    kept = _apart({name: found.rows for name, found in listed.items()})
    return {
        name: replace(found, rows=kept[name], held_out=len(found.rows) - len(kept[name]))
        for name, found in listed.items()
    }


def limited(records: Sequence[Record], limit: int | None) -> Sequence[Record]:
    """At most `limit` of `records`: the first, or of those with a class some of every part.

    Ids of images that lie in a folder for each class begin with it: the first are of one class.
    """
    if limit is None or limit >= len(records) or records[0].target is None:
        return records[:limit]
    return [records[i * len(records) // limit] for i in range(limit)]


def save(folder: Path, roles: dict[str, Source], listed: dict[str, Listed]) -> None:
    """Write `<role>.jsonl` for each role and `manifest.json` over all of them."""
    summary = {}
    for name, source in roles.items():
        rows = listed[name].rows
        text = "".join(json.dumps(_said(row), sort_keys=True) + "\n" for row in rows)
        atomic_write_text(folder / f"{name}.jsonl", text)
        summary[name] = _said(source) | {
            "count": len(rows),
            "held_out": listed[name].held_out,
            "sha256": sha256_bytes(text.encode()),
        }
    write_json(folder / MANIFEST, {"format": _FORMAT, "roles": summary})


def roles(folder: Path) -> dict[str, dict[str, Any]]:
    """What `manifest.json` says of each role: source, count, held_out and sha256."""
    content = read_json(folder / MANIFEST)
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise UserError(f"{folder / MANIFEST} is no data manifest; run `dvc repro prepare`")
    found: dict[str, dict[str, Any]] = content["roles"]
    return found


def read_rows(folder: Path, role: str) -> list[Row]:
    """The rows of a role. Raises `UserError` when the manifest has no such role or was edited."""
    known = roles(folder)
    if role not in known:
        raise UserError(f"{folder / MANIFEST} has no role {role!r}; it has {', '.join(known)}")
    path = folder / f"{role}.jsonl"
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing; run `dvc repro prepare`") from error
    if sha256_bytes(data) != known[role]["sha256"]:
        raise UserError(f"{path} was changed after it was written; run `dvc repro prepare`")
    return [Row(**json.loads(line)) for line in data.decode().splitlines()]


def load_role(folder: Path, role: str) -> Role:
    """Find a role's files under its registered root.

    Raises `UserError` naming the first file that is missing or has another size than listed.
    """
    rows, source = read_rows(folder, role), roles(folder)[role]
    root = roots.resolve(source["root"])
    records = [_record(row, root, source["root"]) for row in rows]
    return Role(records, source["layout"], source["root"], source["split"])


def calibration(rows: Sequence[Row], count: int, seed: int, resize: str) -> dict[str, Any]:
    """Which `count` training images calibrate quantisation: content of `calibration.json`.

    An image's place in the choice depends on the seed and its id alone, so a few images more in
    the data set replace a few of the chosen, not all. `sha256` covers ids and fingerprints.
    Raises `UserError` when there are fewer images than asked for.
    """
    if count > len(rows):
        raise UserError(
            f"data.calibration={count}, but the train role has {len(rows)} images; "
            f"set data.calibration to {len(rows)} or less"
        )
    ranked = sorted(rows, key=lambda row: sha256_bytes(f"{seed}:{row.id}".encode()))
    chosen = sorted(ranked[:count], key=lambda row: row.id)
    return {
        "ids": [row.id for row in chosen],
        "seed": seed,
        "count": count,
        "resize": resize,
        "sha256": sha256_json([[row.id, row.fingerprint] for row in chosen]),
    }


def _row(record: Record, root: Path) -> tuple[Row, Findings]:
    """A record's row, and what a look at its files finds."""
    files, sizes, prints = {}, {}, {}
    for part, path in record.files().items():
        try:
            size = path.stat().st_size
            with path.open("rb") as stream:
                head = stream.read(HEAD_BYTES)
        except OSError as error:
            raise UserError(f"cannot read {path} ({error.strerror}); restore it") from error
        files[part] = path.relative_to(root).as_posix()
        sizes[part] = size
        prints[part] = sha256_bytes(f"{size}:".encode() + head)
    told = (record.reader, record.blur, record.classes, record.target)
    return Row(record.id, files, sizes, prints, *told), examine(record)


def _record(row: Row, root: Path, name: str) -> Record:
    paths: dict[str, Path] = {}
    for part, inside in row.files.items():
        path = root / inside
        try:
            size = path.stat().st_size
        except OSError as error:
            raise UserError(
                f"{path} is missing, but the manifest lists it; restore it, check where "
                f"{name!r} is registered, or run `dvc repro prepare`"
            ) from error
        if size != row.bytes[part]:
            raise UserError(
                f"{path} has {size} bytes where the manifest lists {row.bytes[part]}; "
                "restore it, or run `dvc repro prepare` to take it as it is"
            )
        paths[part] = path
    image, drawn, watched, labels = (
        paths.pop(part, None) for part in ("image", "map", FIXATIONS, LABELS)
    )
    assert image is not None
    others = tuple(paths.values())
    told = (row.reader, others, row.blur, labels, row.classes, row.target)
    return Record(row.id, image, drawn, watched, *told)


def _said(stated: Row | Source) -> dict[str, Any]:
    """The fields of a row or source, those left out that were added later and say nothing."""
    silent = {"edition": None, "reader": "salicon", "blur": None, "classes": None, "target": None}
    return {
        key: value
        for key, value in asdict(stated).items()
        if key not in silent or value != silent[key]
    }


def _apart(rows: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """The rows without pool images that are validated on."""
    held = {row.fingerprint["image"] for row in rows.get("val", [])}
    for row in rows.get("train", []):
        if row.fingerprint["image"] in held:
            raise UserError(
                f"training image {row.id!r} is also in val; choose splits that do not overlap"
            )
    trained = {row.id for row in rows.get("train", [])}
    pool = [row for row in rows.get("pool", []) if row.fingerprint["image"] not in held]
    for row in pool:
        if row.id in trained:
            raise UserError(
                f"the id {row.id!r} occurs in train and in pool; labels could not tell the two "
                "images apart: rename one, or give the pool another folder"
            )
    return rows | ({"pool": pool} if "pool" in rows else {})
