"""`fovea bench`: milliseconds of exported files on this machine, as ratios of one run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fovea.commands.arguments import Commands, add_command, positive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mobile.latency_row import LatencyRow
    from mobile.targets.timed import TimedTarget

EXAMPLES = """examples:
  fovea bench outputs/bundle                      every file of the bundle that runs here
  fovea bench 3fa2 --json rows.jsonl              an entry of the shelf, torch included
  fovea bench model.pte other.tflite --threads 1
  fovea bench outputs/bundle --image photo.jpg
  fovea bench outputs/bundle --on browser         the .tflite files in headless Chromium

Each file is timed in a fresh, pinned process: warm-ups, then repeats of timed runs. Milliseconds
of a host say nothing of a phone; compare the ratios of one run. Rows are also added to this user's
history (`fovea compare --history`).
"""


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "bench",
        "latency of exported files on this machine",
        "Times every file that runs on this machine, one after the other, by the pipeline's own "
        "protocol.",
        EXAMPLES,
    )
    parser.add_argument(
        "what", nargs="+", metavar="BUNDLE|FILE", help="bundle, file, checkpoint or shelf hash"
    )
    parser.add_argument("--on", metavar="TARGET", help="another runtime (fovea target list)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON lines")
    parser.add_argument("--image", type=Path, metavar="PHOTO", help="what to run on")
    parser.add_argument("--threads", type=positive, metavar="N", help="default: 2, or 1 of 1")
    parser.add_argument("--warmups", type=positive, default=5, metavar="N", help="default 5")
    parser.add_argument("--repeats", type=positive, default=3, metavar="N", help="default 3")
    parser.add_argument(
        "--iterations", type=positive, default=20, metavar="N", help="runs per repeat, default 20"
    )
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> None:
    """Measure and print; write the rows when asked to."""
    from fovea import bench
    from fovea.predict.session import cores
    from mobile import history
    from mobile.timing import Plan
    from pipeline.files import atomic_write_text

    found = bench.subjects(parsed.what, _target(parsed.on))
    plan = Plan(parsed.warmups, parsed.repeats, parsed.iterations)
    threads = parsed.threads or min(2, cores())

    def tell(row: LatencyRow) -> None:
        print(f"{row.recipe}: {row.p50_ms:.2f} ms", file=sys.stderr)

    rows = bench.measure(found, parsed.image, threads, plan, tell)
    print(_table(rows))
    history.keep(rows)
    for subject in found:
        if subject.refusal is not None:
            print(f"{subject.path}: not measured: {subject.refusal}")
    if parsed.json is not None:
        atomic_write_text(parsed.json, "".join(row.line() + "\n" for row in rows))


def _target(name: str | None) -> TimedTarget | None:
    if name is None:
        return None
    from mobile import targets
    from mobile.targets.timed import timed
    from pipeline.errors import UserError

    target = timed(targets.get(name))
    reason = target.refusal()
    if reason is not None:
        raise UserError(f"{target.name}: {reason}")
    return target


def _table(rows: Sequence[LatencyRow]) -> str:
    from fovea.table import mebibytes, table
    from mobile.latency_row import compare_rows

    base = rows[0]
    head = ("file", "p50 ms", "95 % interval", "p90 ms", "load ms", "memory MiB", "ratio", "")
    lines = []
    for row in rows:
        memory = None
        if row.peak_memory_bytes is not None and row.baseline_memory_bytes is not None:
            memory = row.peak_memory_bytes - row.baseline_memory_bytes
        other = row is not base and row.input_shape == base.input_shape
        ratio = compare_rows(row, base) if other else None
        lines.append(
            (
                f"{row.student} {row.recipe}",
                f"{row.p50_ms:.2f}",
                f"{row.low_ms:.2f}-{row.high_ms:.2f}",
                f"{row.p90_ms:.2f}",
                f"{row.load_ms:.1f}",
                mebibytes(memory),
                f"{ratio.ratio:.3f}" if ratio else "1" if row is base else "other input",
                f"({ratio.low:.3f}-{ratio.high:.3f})" if ratio else "",
            )
        )
    ground = f"{base.device}, {base.threads} threads; ratio: to {base.recipe}"
    return f"{table(head, lines)}\n{ground}"
