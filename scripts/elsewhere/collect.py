"""On the other machine: what the stages made, as a handful of small files."""

from __future__ import annotations

import csv
import dataclasses
import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import provenance
from pipeline.errors import UserError
from pipeline.files import atomic_write_text, sha256_file, write_json
from scripts.elsewhere.check import manifest
from scripts.elsewhere.payload import Part, Writer, split
from scripts.elsewhere.steps import KEYED, Step

INDEX = "results.json"
CURVES = "curves.csv"
FORMAT = 1
LAST = "last.safetensors"
MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """How large results may be."""

    files: int = 8
    """All files together, index and curves included."""
    part_mib: float = 15.0


@dataclass(frozen=True)
class Unit:
    """Files that are of use only together."""

    name: str
    files: list[Path]


def collect(run: Path, into: Path, limits: Limits) -> dict[str, Any]:
    """Write index, curves and parts to `into`; returns the index.

    What matters most comes first: the final phase, other phases, teachers, labels, then last
    checkpoints. Units that do not fit are listed as left out. Raises `UserError` when no stage
    has made anything, or when the final checkpoint does not fit.
    """
    packed = manifest(run)
    if limits.files < 3 or limits.part_mib <= 0:
        raise UserError("results need --max-files of 3 or more and --part-mib above 0")
    units = find_units(run, packed)
    part_bytes = int(limits.part_mib * MIB)
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=into) as stream:
        writer = Writer(stream, (limits.files - 2) * part_bytes)
        refused = [unit for unit in units if not writer.add(_named(run, unit))]
        left_out = [_left_out(unit, packed, limits) for unit in refused]
        _remove_old(into)
        parts = split(stream, into, part_bytes)
    curves = _curves(run)
    atomic_write_text(into / CURVES, curves)
    index = {
        "format": FORMAT,
        "run": {key: value for key, value in packed.items() if key != "files"}
        | {"sha256": sha256_file(run / "manifest.json")},
        "params": (run / "params.yaml").read_text(),
        "done": sorted(mark.name for mark in (run / "done").glob("*")),
        "parts": [dataclasses.asdict(part) for part in parts],
        "files": [dataclasses.asdict(file) for file in writer.files],
        "left_out": left_out,
        "curves_sha256": sha256_file(into / CURVES),
        "trained_with": provenance.versions(),
    }
    write_json(into / INDEX, index)
    return index


def find_units(run: Path, packed: dict[str, Any]) -> list[Unit]:
    """What finished stages made, most important first. Raises `UserError` when that is nothing."""
    done = [Step(*name.split("@")) for name in packed["stages"] if (run / "done" / name).exists()]
    made = {stage: [s.folder for s in done if s.folder and s.stage == stage] for stage in KEYED}
    final = Path(packed["final"])
    phases = sorted(made["train"], key=lambda folder: (folder != final, folder.name))
    phases = [run / folder for folder in phases]
    folders = [*phases, *(run / folder for folder in [*made["teacher"], *made["label"]])]
    if not folders:
        raise UserError(
            "no stage beyond prepare has finished, so there is nothing to collect; "
            "see the message above, mend it and start run.sh again"
        )
    units = [
        _unit(run, folder, [f for f in _files(folder) if f.name != LAST]) for folder in folders
    ]
    lists = [*_files(run / "outputs/data"), run / "outputs/calibration.json"]
    units.insert(1, _unit(run, run / "outputs/data", [f for f in lists if f.is_file()]))
    lasts = [folder / LAST for folder in phases if (folder / LAST).is_file()]
    units += [_unit(run, path, [path]) for path in lasts]
    return [unit for unit in units if unit.files]


def _named(run: Path, unit: Unit) -> list[tuple[str, Path]]:
    return [(file.relative_to(run).as_posix(), file) for file in unit.files]


def _unit(run: Path, path: Path, files: list[Path]) -> Unit:
    return Unit(path.relative_to(run).as_posix(), files)


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _left_out(unit: Unit, packed: dict[str, Any], limits: Limits) -> dict[str, Any]:
    size = sum(file.stat().st_size for file in unit.files)
    room = (limits.files - 2) * limits.part_mib
    if unit.name == packed["final"]:
        raise UserError(
            f"{unit.name} takes {size / MIB:.1f} MiB, results hold {room:g} MiB; "
            "raise --max-files or --part-mib: sh run.sh --max-files 20"
        )
    return {"name": unit.name, "bytes": size}


def _remove_old(into: Path) -> None:
    for path in into.glob("results.*"):
        path.unlink()


def _curves(run: Path) -> str:
    """Every stage's epochs in one table, with the stage's folder as the first column."""
    rows: list[dict[str, str]] = []
    for path in sorted((run / "outputs").glob("*/*/epochs.csv")):
        with path.open(newline="") as stream:
            name = path.parent.relative_to(run / "outputs").as_posix()
            rows += [{"of": name, **row} for row in csv.DictReader(stream)]
    columns = list(dict.fromkeys(["of", *(key for row in rows for key in row)]))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def parts_of(index: dict[str, Any]) -> Sequence[Part]:
    """The parts an index lists."""
    return [Part(**part) for part in index["parts"]]
