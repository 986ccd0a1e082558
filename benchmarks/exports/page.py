"""The ledger as Markdown: a table for each family, a row for each student and recipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from benchmarks.exports.ledger import Row, latest

ABOUT = """
What comes out of every student by every recipe, on the very file: its size; operators that the
delegate took, in how many partitions; the largest difference of a logit from torch's, signal to
quantisation noise (dB, least of any photograph) and what that does to the result: pixels given
the same class, or CC of the maps, mean and least; milliseconds (p50, a process of its own, to be
compared within one machine); what `fovea lint` says of it.
""".strip()
HEADS = (
    "Student", "Recipe", "MiB", "Delegated", "Largest difference", "SQNR", "Result", "ms", "Lint",
    "Note",
)  # fmt: skip
MOST_OPERATORS = 4
BUSY = 2.0
"""Load average above which milliseconds are not to be trusted."""


def markdown(rows: Sequence[Row]) -> str:
    """All families, the last row of each pair."""
    shown = latest(rows)
    parts = ["# Exports", ABOUT]
    for family in dict.fromkeys(family_of(row) for row in shown):
        own = [row for row in shown if family_of(row) == family]
        parts += [f"## {family}", _table(own), *_legend(own)]
    return "\n\n".join(parts) + "\n"


def family_of(row: Row) -> str:
    """`cednet` of `cednet_n`."""
    return row.student.partition("_")[0]


def _table(rows: Sequence[Row]) -> str:
    lines = [f"| {' | '.join(HEADS)} |", "|---" * len(HEADS) + "|"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    return "\n".join(lines)


def _cells(row: Row) -> list[str]:
    height, width = row.size
    parity = row.parity or {}
    cells = [
        f"{row.student} {height}×{width}",
        row.recipe,
        "" if row.bytes is None else f"{row.bytes / 2**20:.2f}",
        _delegated(row),
        _number(parity.get("max_abs"), ".2g"),
        _number(parity.get("sqnr_db_min"), ".1f"),
        _result(row),
        _ms(row),
        _lint(row),
        _note(row),
    ]
    return [cell.replace("|", "\\|") for cell in cells]


def _delegated(row: Row) -> str:
    if row.bytes is None:
        return ""
    if row.delegation is None:
        return "on the device"
    found = row.delegation
    return f"{found['delegated']}/{found['total']} in {found['partitions']}"


def _result(row: Row) -> str:
    found = row.agreement
    if not found or found["mean"] is None:
        return ""
    if found["of"] == "argmax":
        return f"{found['mean']:.2%}, least {found['min']:.2%}"
    return f"CC {found['mean']:.5f}, least {found['min']:.5f}"


def _ms(row: Row) -> str:
    """With the load of the machine where others were at work, too."""
    if row.ms is None:
        return ""
    busy = row.ms.get("load", 0)
    return f"{row.ms['p50']:.1f}" + (f" (load {busy:.0f})" if busy > BUSY else "")


def _lint(row: Row) -> str:
    if row.lint is None:
        return ""
    counts = Counter(finding["severity"] for finding in row.lint)
    return ", ".join(f"{number} {name}" for name, number in counts.items()) or "clean"


def _note(row: Row) -> str:
    parts = [f"failed: {row.error}"] if row.error else []
    left = (row.delegation or {}).get("undelegated") or {}
    if left:
        most = sorted(left.items(), key=lambda item: -item[1])
        named = ", ".join(f"{number} {name}" for name, number in most[:MOST_OPERATORS])
        more = len(most) - MOST_OPERATORS
        parts.append(f"not delegated: {named}" + (f" and {more} more" if more > 0 else ""))
    return "; ".join([*parts, *row.problems])


def _legend(rows: Sequence[Row]) -> list[str]:
    """What the figures of a family belong to."""
    lines = []
    for row in rows:
        where = f"{row.student}: {row.weights}; {row.images}"
        lines += [where] if where not in lines else []
    for recipe in dict.fromkeys(row.recipe for row in rows):
        own = [row for row in rows if row.recipe == recipe]
        executors = sorted({row.executor for row in own if row.executor})
        if executors:
            seconds = [row.seconds for row in own if row.seconds is not None]
            peaks = [row.peak_memory for row in own if row.peak_memory]
            took = f"export {max(seconds):.0f} s, {max(peaks) / 2**30:.1f} GiB" if seconds else ""
            lines.append(f"{recipe}: executed by {', '.join(executors)}; {took}")
    findings = Counter(
        f"{found['severity']}: {found['where']}: {found['what']}; {found['rewrite']}"
        for row in rows
        for found in row.lint or ()
    )
    lines += [f"lint, {text} ({number} files)" for text, number in findings.items()]
    versions = {name: value for row in rows for name, value in row.versions.items()}
    shown = ", ".join(f"{name} {value}" for name, value in sorted(versions.items()))
    machines = sorted({row.machine for row in rows if row.machine})
    lines += [f"{shown}; {'; '.join(machines)}"] if shown else []
    return ["\n".join(f"- {line}" for line in lines)]


def _number(value: float | None, how: str) -> str:
    return "" if value is None else format(value, how)
