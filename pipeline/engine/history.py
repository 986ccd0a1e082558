"""What happened, step by step and epoch by epoch, as rows that survive a kill."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from pipeline.files import atomic_write_text, unwritable

Row = dict[str, Any]


class History:
    """Append-only JSON lines; on resume, rows written after the last saved state are dropped.

    Without a path nothing is read or written.
    """

    def __init__(self, path: Path | None, keep: int = 0) -> None:
        self.path = path
        self.rows: list[Row] = read(path)[:keep] if path and keep else []
        if path:
            atomic_write_text(path, "".join(_line(row) for row in self.rows))

    def add(self, row: Row) -> None:
        """Append one row, flushed at once."""
        self.rows.append(row)
        if self.path is None:
            return
        try:
            with self.path.open("a") as stream:
                stream.write(_line(row))
        except OSError as error:
            raise unwritable(self.path, error) from error


def read(path: Path) -> list[Row]:
    """Rows of a history; a last line cut short by a kill is ignored."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_text().splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return rows


def write_curve(rows: list[Row], kind: str, path: Path) -> None:
    """Rows of one kind (`step` or `epoch`) as CSV, which `dvc plots` reads."""
    chosen = [{k: v for k, v in row.items() if k != "kind"} for row in rows if row["kind"] == kind]
    columns = list(dict.fromkeys(key for row in chosen for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(chosen)
    atomic_write_text(path, text.getvalue())


def _line(row: Row) -> str:
    return json.dumps(row) + "\n"
