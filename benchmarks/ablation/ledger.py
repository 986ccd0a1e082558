"""What was measured, one JSON object a line, only ever added to.

A row of a run that is planned (queued as an experiment) has no metrics yet; the row with them
follows later. Of several rows of one run the last counts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.files import atomic_write_text
from pipeline.lock import in_turn

Key = tuple[str, str, int, str]


@dataclass(frozen=True)
class Entry:
    """One row of a study with one seed."""

    study: str
    row: str
    seed: int
    given: tuple[str, ...]
    """The user's own overrides: rows with others are not comparable."""
    overrides: tuple[str, ...]
    """All overrides, those of the evaluation last."""
    config: str
    """Hash of everything configured that decides the result."""
    epochs: Mapping[str, int]
    steps: int
    metrics: Mapping[str, float] | None = None
    """Of the student; None while it is only planned."""
    others: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Of its teachers and of the mean map, on the same images."""
    hint_loss: float | None = None
    """Validation loss of the pretraining, where there is one."""
    seconds: Mapping[str, float | None] = field(default_factory=dict)
    """Of each phase; null where it was interrupted or not timed."""
    images: Mapping[str, int] = field(default_factory=dict)
    """By role."""
    code: tuple[str, ...] = ()
    """Hashes of the code the phases were trained with."""
    versions: Mapping[str, str] = field(default_factory=dict)
    experiment: str | None = None
    """Name of the DVC experiment, where it is one."""

    @property
    def key(self) -> Key:
        """What makes two rows the same run."""
        return (self.study, self.row, self.seed, self.config)

    @property
    def done(self) -> bool:
        """Whether it was measured."""
        return self.metrics is not None


def read(path: Path) -> list[Entry]:
    """Rows of a ledger, the last of each run, in the order in which runs first appear.

    None without a file. Raises `UserError` naming the line that is no row.
    """
    try:
        lines = path.read_text().splitlines() if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as a ledger: {error}") from error
    found: dict[Key, Entry] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            entry = parse(line, f"{path}, line {number}")
            found[entry.key] = entry
    return list(found.values())


def parse(line: str, where: str) -> Entry:
    """A row from its JSON; `UserError` saying `where` for what is none."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} is not valid JSON ({error}); remove the line") from error
    problem = _problem(row)
    if problem:
        raise UserError(f"{where} is no row of a ledger: {problem}; remove the line")
    lists = {name: tuple(row.get(name, ())) for name in ("given", "overrides", "code")}
    return Entry(**(row | lists))


def add(path: Path, entries: Sequence[Entry]) -> None:
    """Append rows; runs of other processes into the same file are waited for."""
    with in_turn(path.with_name(f".{path.name}.lock"), "another ablation writing"):
        earlier = path.read_text() if path.exists() else ""
        if earlier and not earlier.endswith("\n"):
            earlier += "\n"
        atomic_write_text(path, earlier + "".join(f"{text(entry)}\n" for entry in entries))


def text(entry: Entry) -> str:
    """One row as a line of JSON."""
    return json.dumps(asdict(entry), allow_nan=False)


def _problem(row: Any) -> str | None:
    """What keeps `row` from being an `Entry`."""
    if not isinstance(row, dict):
        return "not an object"
    known = {each.name for each in fields(Entry)}
    needed = ("study", "row", "seed", "given", "overrides", "config", "epochs", "steps")
    for name in needed:
        if name not in row:
            return f"it lacks {name!r}"
    for name in row:
        if name not in known:
            return f"{name!r} is not known"
    for name, value in row.items():
        if not KINDS[name](value):
            return f"{name} is {str(value)[:60]!r}"
    return None


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _optional(kind: Any) -> Any:
    return lambda value: value is None or kind(value)


def _mapping(kind: Any) -> Any:
    return lambda value: isinstance(value, dict) and all(map(kind, value.values()))


KINDS = {
    "study": _text,
    "row": _text,
    "seed": _whole,
    "given": _texts,
    "overrides": _texts,
    "config": _text,
    "epochs": _mapping(_whole),
    "steps": _whole,
    "metrics": _optional(_mapping(_number)),
    "others": _mapping(_mapping(_number)),
    "hint_loss": _optional(_number),
    "seconds": _mapping(_optional(_number)),
    "images": _mapping(_whole),
    "code": _texts,
    "versions": _mapping(_text),
    "experiment": _optional(_text),
}
