"""The images of a packed run: the records `prepare` would list, as small as they need to be."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import students
import teachers
from pipeline.config import Config
from pipeline.data import manifest, roots
from pipeline.data.layouts import Record
from pipeline.data.resize import NAME
from pipeline.engine.progress import Meter
from pipeline.errors import UserError
from pipeline.paths import SAMPLE
from pipeline.stages.names import check_names
from pipeline.stages.prepare import source
from scripts.elsewhere.contents import Entry, total
from scripts.elsewhere.shrink import image_bytes, map_bytes

MIB = 1 << 20
_THREADS = 4
_SLICE = 64


@dataclass(frozen=True)
class Images:
    """Packed images and what was done to them."""

    entries: list[Entry]
    roots: dict[str, str]
    """Folder in the archive by name of the root; generated data has none."""
    roles: dict[str, dict[str, Any]]
    """By role: count, bytes, and whether its images are the originals."""


def model_size(config: Config, width: int | None = None) -> tuple[int, int]:
    """Height and width that images are kept for: the largest input of student and teachers.

    `width` asks for another one, the height in proportion.
    """
    specs = [students.spec(config.student.name)]
    specs += [teachers.spec(teacher.model) for teacher in config.student.teachers.values()]
    largest = max(spec.height for spec in specs), max(spec.width for spec in specs)
    if width is None:
        return largest
    if width < 1:
        raise UserError(f"--size is {width}; give the width of a model's input, such as 256")
    return -(-largest[0] * width // largest[1]), width


def pack_images(config: Config, size: tuple[int, int] | None, room: int) -> Images:
    """Every role's files in at most `room` bytes; `size` None keeps all of them as they are.

    Shrunk training and pool images leave their fixations behind, which nothing learns from.
    Validation keeps maps and fixations as they are, and its images too where there is room.
    Raises `UserError` when a role cannot be listed, or when `room` is too small.
    """
    records = list_records(config)
    roles: dict[str, dict[str, Any]] = {}
    packed: dict[str, Entry] = {}
    for role in ("val", "train", "pool"):
        if role not in records:
            continue
        root, found = records[role]
        made = _pack_role(role, root, found, size, room - total(packed.values()), config)
        roles[role] = {"count": len(found), "bytes": total(made), "original": size is None}
        packed = {entry.name: entry for entry in made} | packed
    if size is not None:
        packed = _restore_validation(packed, records["val"], roles, room)
    names = {root for root, _ in records.values() if not root.startswith("sample/")}
    return Images(list(packed.values()), {n: _inside(n) for n in sorted(names)}, roles)


def list_records(config: Config) -> dict[str, tuple[str, list[Record]]]:
    """Root name and records of each role, exactly those that `prepare` lists."""
    check_names(config)
    data = config.data
    given = {"train": data.train, "pool": data.pool, "val": data.val}
    sources = {name: source(role) for name, role in given.items() if role is not None}
    with tempfile.TemporaryDirectory() as name, Meter("list", 0, "images") as meter:
        folder = Path(name)
        manifest.write(folder, sources, meter)
        rows = manifest.read_rows(folder, "train")
        manifest.calibration(rows, data.calibration, config.seed, NAME)
        loaded = {role: manifest.load_role(folder, role) for role in sources}
    return {role: (found.root_name, found.records) for role, found in loaded.items()}


def _pack_role(
    role: str,
    root: str,
    records: list[Record],
    size: tuple[int, int] | None,
    room: int,
    config: Config,
) -> list[Entry]:
    make = _maker(role, root, size)
    entries: dict[str, Entry] = {}
    meter = Meter(f"pack {role}", len(records), "images")
    with meter, ThreadPoolExecutor(_THREADS) as pool:
        # Slices: nothing is read far ahead of the limit.
        for start in range(0, len(records), _SLICE):
            for made in pool.map(make, records[start : start + _SLICE]):
                entries |= {entry.name: entry for entry in made}  # one file may be of many images
                meter()
            used, done = total(entries.values()), min(start + _SLICE, len(records))
            if used > room:
                raise _too_much(role, used * len(records) // done, room, config, size)
    return [*entries.values()]


def _maker(role: str, root: str, size: tuple[int, int] | None) -> Callable[[Record], list[Entry]]:
    base, inside = roots.resolve(root), _inside(root)

    def entry(path: Path, content: bytes | Path) -> Entry:
        return Entry(f"{inside}/{path.relative_to(base).as_posix()}", content)

    def make(record: Record) -> list[Entry]:
        parts = [*record.files().values()]
        if size is None:
            return [entry(path, path) for path in parts]
        image = entry(record.image, image_bytes(record.image, size))
        # Maps that are made of fixations need these to learn from, too.
        if role == "val" or (record.map is None and record.has_truth):
            return [image, *(entry(path, path) for path in parts[1:])]
        if record.map is None:
            return [image]
        return [image, entry(record.map, map_bytes(record.map, size))]

    return make


def _restore_validation(
    packed: dict[str, Entry],
    val: tuple[str, list[Record]],
    roles: dict[str, dict[str, Any]],
    room: int,
) -> dict[str, Entry]:
    """The same with validation images as they are, where that fits into `room`."""
    base, inside = roots.resolve(val[0]), _inside(val[0])
    paths = [record.image for record in val[1]]
    whole = {f"{inside}/{path.relative_to(base).as_posix()}": path for path in paths}
    restored = packed | {name: Entry(name, path) for name, path in whole.items()}
    if total(restored.values()) > room:
        return packed
    gained = total(restored.values()) - total(packed.values())
    roles["val"] |= {"original": True, "bytes": roles["val"]["bytes"] + gained}
    return restored


def _inside(root: str) -> str:
    """Folder of a root in the archive; generated data lies where every workspace has it."""
    if root.startswith("sample/"):
        return (SAMPLE / root.removeprefix("sample/")).as_posix()
    return f"data/{root}"


def _too_much(
    role: str, expected: int, room: int, config: Config, size: tuple[int, int] | None
) -> UserError:
    given = {"train": config.data.train, "pool": config.data.pool, "val": config.data.val}[role]
    assert given is not None
    fitting = f"about {room / expected:.0%} of them" if room > 0 else "fewer"
    advice = [f"-S data.{role}.limit=N for {fitting}"]
    if size is None:
        advice.append("no --size original, to pack shrunk copies")
    elif role != "val":
        advice.append(f"--size below {size[1]} for smaller copies")
    advice.append("a larger --limit-mib")
    return UserError(
        f"the {role} images (layout {given.layout}, root {given.root}) take about "
        f"{expected / MIB:.1f} MiB, {(expected - room) / MIB:.1f} MiB over what --limit-mib "
        f"leaves for them; use {', or '.join(advice)}"
    )
