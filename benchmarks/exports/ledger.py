"""What was found of each pair of student and recipe, one JSON object a line, only added to.

The hash of a row's settings tells whether it has to be run again; of several rows of one pair at
one size and with one kind of weights the last counts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.files import atomic_write_text
from pipeline.lock import in_turn


@dataclass(frozen=True)
class Row:
    """One student by one recipe. Sizes in bytes, times in ms unless they say otherwise."""

    settings: str
    """Hash of everything that decides the row."""
    student: str
    recipe: str
    size: Sequence[int]
    """Height and width of the input."""
    weights: str
    """Where they come from: a checkpoint, or how they were calibrated."""
    images: str
    """What was calibrated and compared on."""
    error: str | None = None
    """Why there is no more than this, one line; null where all went well."""
    bytes: int | None = None
    delegation: Mapping[str, Any] | None = None
    """`delegated`, `total`, `partitions`, `undelegated`; null where the device decides."""
    executor: str | None = None
    """What ran the file; null where nothing here can."""
    parity: Mapping[str, float | None] | None = None
    """`max_abs`, `cc_min`, `sqnr_db_min`, `sqnr_db_mean` of photographs."""
    agreement: Mapping[str, Any] | None = None
    """`of` (`argmax`: pixels of the same class, or `cc`), `mean` and `min` of photographs."""
    ms: Mapping[str, Any] | None = None
    """`p50`, `low`, `high`, `threads`, the machine's `load`, in a process of its own; null where
    times say nothing."""
    lint: Sequence[Mapping[str, str]] | None = None
    """Findings on this very file: `severity`, `where`, `what`, `rewrite`."""
    problems: Sequence[str] = ()
    """What is out of the recipe's bounds, or could not be found out."""
    form: str | None = None
    rewrites: Mapping[str, int] = field(default_factory=dict)
    seconds: float | None = None
    """Of the export."""
    peak_memory: int | None = None
    """Largest resident memory of the process until the file was written."""
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: str = ""

    @property
    def key(self) -> tuple[Any, ...]:
        """What a page shows once."""
        return (self.student, self.recipe, tuple(self.size), self.weights.partition(":")[0])


def read(path: Path) -> list[Row]:
    """Rows of a ledger in turn, none without a file; `UserError` naming a line that is none."""
    try:
        lines = path.read_text().splitlines() if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as a ledger: {error}") from error
    return [parse(line, f"{path}, line {n}") for n, line in enumerate(lines, 1) if line.strip()]


def latest(rows: Iterable[Row]) -> list[Row]:
    """The last row of each key, in the order in which keys first appear."""
    return list({row.key: row for row in rows}.values())


def parse(line: str, where: str) -> Row:
    """A row from its JSON; `UserError` saying `where` for what is none."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} is not valid JSON ({error}); remove the line") from error
    problem = _problem(value)
    if problem:
        raise UserError(f"{where} is no row of exports: {problem}; remove the line")
    return Row(**value)


def add(path: Path, row: Row) -> None:
    """Append a row, whole or not at all; other processes at the same file are waited for."""
    with in_turn(path.with_name(f".{path.name}.lock"), "another run of exports writing"):
        earlier = path.read_text() if path.exists() else ""
        if earlier and not earlier.endswith("\n"):
            earlier += "\n"
        atomic_write_text(path, f"{earlier}{text(row)}\n")


def text(row: Row) -> str:
    """One row as a line of JSON."""
    return json.dumps(asdict(row), allow_nan=False)


def _problem(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "not an object"
    known = {each.name for each in fields(Row)}
    for name in ("settings", "student", "recipe", "size", "weights", "images"):
        if name not in value:
            return f"it lacks {name!r}"
    for name, given in value.items():
        if name not in known:
            return f"{name!r} is not known"
        if not _fits(name, given):
            return f"{name} is {str(given)[:60]!r}"
    return None


_TEXT = ("settings", "student", "recipe", "weights", "images", "machine")
_NUMBERS = ("bytes", "seconds", "peak_memory")
_OBJECTS = ("rewrites", "versions")
_MAYBE_OBJECTS = ("delegation", "parity", "agreement", "ms")


def _fits(name: str, value: Any) -> bool:
    if name in _TEXT:
        return isinstance(value, str)
    if name == "size":
        return isinstance(value, list) and len(value) == 2 and all(map(_whole, value))
    if name in _NUMBERS:
        return value is None or _number(value)
    if name in _OBJECTS:
        return isinstance(value, dict)
    if name in _MAYBE_OBJECTS:
        return value is None or isinstance(value, dict)
    if name == "lint":
        return value is None or _list(value, dict)
    if name == "problems":
        return _list(value, str)
    return value is None or isinstance(value, str)


def _list(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(each, kind) for each in value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
