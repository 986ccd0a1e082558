"""`fovea compare`: latency rows of two files as ratios, if they were measured alike."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fovea.commands.arguments import Commands, add_command
from pipeline.errors import UserError

if TYPE_CHECKING:
    from mobile.latency_row import Comparison, LatencyRow

    Rows = dict[str, LatencyRow]

EXAMPLES = """examples:
  fovea compare before.jsonl after.jsonl              recipe by recipe
  fovea compare outputs/bundle 3fa2                   two bundles, one of them on the shelf
  fovea compare rows.jsonl:litert_int8 rows.jsonl:executorch_int8
  fovea compare --history fastsal_a:litert_int8       its course over time on this machine

Rows come from `fovea bench --json`, outputs/latency.jsonl or a bundle. Rows of other threads,
processors, clocks, inputs, hosts or runtime versions are refused, not compared. The history holds
all that `fovea bench` and the latency stage ever measured here (FOVEA_HISTORY says where).
"""


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "compare",
        "latency of two files as ratios, if measured alike",
        "Ratios of the medians with what their 95 % intervals allow; below 1, B is faster.",
        EXAMPLES,
    )
    for name in ("a", "b"):
        parser.add_argument(
            name, nargs="?", metavar=f"{name.upper()}[:RECIPE]", help="rows or a bundle"
        )
    parser.add_argument(
        "--history",
        metavar="STUDENT:RECIPE",
        help="every run of one recipe, as ratios to the first measured alike",
    )
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> None:
    """Print the ratios; `UserError` for rows that cannot be compared."""
    from fovea.table import table

    if parsed.history is not None:
        if parsed.a is not None:
            raise UserError("--history goes without A and B; leave one of the two out")
        from fovea.course import course

        print(course(parsed.history))
        return
    if parsed.b is None:
        raise UserError("give two sets of rows, A and B, or --history STUDENT:RECIPE")
    first, second = rows_of(parsed.a), rows_of(parsed.b)
    lines = []
    for a, b in pairs(first, second):
        ratio = compare(b, a)
        names = a.recipe if a.recipe == b.recipe else f"{a.recipe}, {b.recipe}"
        times = f"{a.p50_ms:.2f}", f"{b.p50_ms:.2f}"
        interval = f"({ratio.low:.3f}-{ratio.high:.3f})"
        lines.append(
            (names, *times, f"{ratio.ratio:.3f}", interval, verdict(ratio.low, ratio.high))
        )
    head = ("recipe", "A p50 ms", "B p50 ms", "B / A", "95 % interval", "")
    print(table(head, lines, text=(0, 5)))


def verdict(low: float, high: float) -> str:
    """What an interval of the ratio of B to A says."""
    if high < 1:
        return "B is faster"
    return "A is faster" if low > 1 else "no difference shown"


def compare(b: LatencyRow, a: LatencyRow) -> Comparison:
    """The ratio of `b` to `a`; `UserError` with the reason when they were not measured alike."""
    from mobile.latency_row import compare_rows

    if a.runtime == b.runtime and a.runtime_version != b.runtime_version:
        raise UserError(
            f"{a.recipe} and {b.recipe} ran on different versions of {a.runtime} "
            f"({a.runtime_version}, {b.runtime_version}): their times cannot be compared; "
            "measure both in one run"
        )
    return compare_rows(b, a)


def pairs(first: Rows, second: Rows) -> list[tuple[LatencyRow, LatencyRow]]:
    """Rows of the same recipe, or the only two there are; `UserError` when nothing pairs."""
    if len(first) == len(second) == 1:
        return list(zip(first.values(), second.values(), strict=True))
    both = [name for name in first if name in second]
    if not both:
        raise UserError(
            f"no recipe is in both: A has {', '.join(first)}, B has {', '.join(second)}; "
            "choose one of each, as A:RECIPE B:RECIPE"
        )
    return [(first[name], second[name]) for name in both]


def rows_of(given: str) -> Rows:
    """Rows by recipe of `PATH` or `PATH:RECIPE`; the last one where a recipe has several."""
    name, colon, recipe = given.rpartition(":")
    if not colon or _source(given) is not None:
        name, recipe = given, ""
    path = _source(name)
    if path is None:
        raise UserError(f"{name} does not exist; give rows (.jsonl), a bundle or a shelf hash")
    rows = {row.recipe: row for row in _read(path)}
    if not rows:
        raise UserError(f"{path} holds no latency rows; measure them: fovea bench {path}")
    if not recipe:
        return rows
    if recipe not in rows:
        raise UserError(f"{path} has no row of {recipe!r}; it has {', '.join(rows)}")
    return {recipe: rows[recipe]}


def _source(name: str) -> Path | None:
    from pipeline import shelf

    path = Path(name)
    if path.exists():
        return path
    return shelf.select(name) if shelf.is_key(name) else None


def _read(path: Path) -> list[LatencyRow]:
    from mobile import manifest
    from mobile.latency_row import parse, read_lines
    from pipeline.files import read_json

    bundle = next((b for b in (path, path / "bundle") if (b / manifest.NAME).is_file()), None)
    if bundle is not None:
        entries = manifest.load(bundle)["artefacts"].values()
        return [
            parse(row, f"{bundle / manifest.NAME}: {entry['recipe']}")
            for entry in entries
            for row in entry["latency"]
        ]
    if path.is_dir():
        raise UserError(f"{path} is no bundle: it has no {manifest.NAME}")
    if path.suffix != ".json":
        return read_lines(path)
    content = read_json(path)
    listed = content if isinstance(content, list) else [content]
    return [parse(row, f"{path}: row {number}") for number, row in enumerate(listed, 1)]
