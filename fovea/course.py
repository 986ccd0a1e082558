"""How the time of one recipe of one student went over the runs on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fovea.table import table
from pipeline.errors import UserError

if TYPE_CHECKING:
    from mobile.history import Entry

STEADY = 0.1
"""Largest spread between runs of one file on a quiet machine."""
HEAD = ("when", "commit", "file", "p50 ms", "to first", "95 % interval", "to best")


def course(given: str) -> str:
    """A table for each set of runs that were measured alike, of `STUDENT:RECIPE`.

    Runs are alike when their rows may be compared and their runtime is of one version. Raises
    `UserError` when the history has no such run.
    """
    from mobile import history

    student, colon, recipe = given.partition(":")
    file = history.path()
    entries = history.read(file)
    found = [e for e in entries if (e.row.student, e.row.recipe) == (student, recipe)]
    if not found:
        known = sorted({f"{e.row.student}:{e.row.recipe}" for e in entries})
        held = f"it has {', '.join(known)}" if known else "it is empty"
        wanted = repr(given) if colon else f"{given!r}, which should read STUDENT:RECIPE"
        raise UserError(f"{file} has no run of {wanted}; {held}")
    groups = alike(found)
    parts = [_group(group) for group in groups]
    if len(groups) > 1:
        parts.append(f"{len(groups)} sets of runs are not measured alike: no ratio crosses them")
    return "\n\n".join(parts)


def alike(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Entries by what they may be compared with, in the order of their first."""
    groups: list[list[Entry]] = []
    for entry in entries:
        group = next((group for group in groups if _comparable(entry, group[0])), None)
        if group is None:
            groups.append([entry])
        else:
            group.append(entry)
    return groups


def spread(times: Sequence[float]) -> float:
    """How far the slowest run lies above the fastest, as a share of the latter."""
    return max(times) / min(times) - 1


def _comparable(one: Entry, other: Entry) -> bool:
    from fovea.commands.compare import compare

    try:
        compare(one.row, other.row)
    except UserError:
        return False
    return True


def _group(group: Sequence[Entry]) -> str:
    from mobile.latency_row import compare_rows

    first, best = group[0], min(group, key=lambda entry: entry.row.p50_ms)
    lines = []
    for entry in group:
        ratio = compare_rows(entry.row, first.row)
        lines.append(
            (
                entry.at,
                entry.revision or "unknown",
                entry.row.artefact_sha256[:8],
                f"{entry.row.p50_ms:.2f}",
                f"{ratio.ratio:.3f}",
                "" if entry is first else f"({ratio.low:.3f}-{ratio.high:.3f})",
                f"{entry.row.p50_ms / best.row.p50_ms:.3f}",
            )
        )
    row = first.row
    ground = f"{row.device}, {row.threads} threads, {row.runtime} {row.runtime_version}"
    return "\n".join([ground, table(HEAD, lines, text=(0, 1, 2)), *_spreads(group)])


def _spreads(group: Sequence[Entry]) -> list[str]:
    """A line for each file of several runs: the same bytes should take the same time."""
    files: dict[str, list[float]] = {}
    for entry in group:
        files.setdefault(entry.row.artefact_sha256[:8], []).append(entry.row.p50_ms)
    lines = []
    for name, times in files.items():
        if len(times) > 1:
            found = spread(times)
            loud = f": over {STEADY:.0%}, this machine was not quiet" if found > STEADY else ""
            lines.append(f"{name}: {len(times)} runs, spread {found:.1%}{loud}")
    return lines
