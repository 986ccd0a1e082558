"""The heavier architectures' tables: every row trained alike, beside the paper's figures.

    python -m benchmarks.architectures --list
    python -m benchmarks.architectures cii -S data=duts -S profile=small --ledger docs/architectures/ledger.jsonl
    python -m benchmarks.architectures cii --rows none rgc_dagger --seeds 0       on the sample data
    python -m benchmarks.architectures --ledger docs/architectures/ledger.jsonl --page docs/architectures/tables.md

What the ledger has is not run again, and a killed run goes on where it was. Trainings lie in the
folder `ablation` of FOVEA_SCRATCH: remove it to start afresh after a change of code.
"""  # noqa: E501 - a command is one line

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.ablation import ledger
from benchmarks.architectures.run import execute
from benchmarks.architectures.studies import STUDIES, Study
from benchmarks.architectures.tables import markdown
from pipeline.errors import UserError
from pipeline.files import atomic_write_text

LEDGER = Path("architectures.jsonl")


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.architectures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("studies", nargs="*", help=f"{', '.join(STUDIES)}, or all")
    parser.add_argument("--rows", nargs="+", help="only these rows, by the keys --list shows")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("-S", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--apart", nargs="+", default=[], metavar="PREFIX",
                        help="also the means of images whose id begins so")  # fmt: skip
    parser.add_argument("--ledger", type=Path, default=LEDGER, help=f"default: {LEDGER}")
    parser.add_argument("--page", type=Path, help="write the tables as Markdown here")
    parser.add_argument("--list", action="store_true", help="show studies and rows, run nothing")
    chosen = parser.parse_args(arguments)
    try:
        problems = act(chosen)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        sys.exit(130)
    for problem in problems:
        print(f"not done: {problem}", file=sys.stderr)
    sys.exit(2 if problems else 0)


def act(chosen: argparse.Namespace) -> list[str]:
    """List or run, then write the page; what was not done, a line each."""
    studies = named(chosen.studies)
    if chosen.list:
        for study in studies or STUDIES.values():
            print(f"{study.name}: {study.title}")
            for row in study.rows:
                print(f"  {row.key:20} {row.title:32} {' '.join(row.overrides)}")
        return []
    if not studies and chosen.page is None:
        raise UserError(f"name a study: {', '.join(STUDIES)}, or all; --help shows examples")
    problems: list[str] = []
    for study in studies:
        rows = [row for row in study.rows if chosen.rows is None or row.key in chosen.rows]
        if not rows:
            known = ", ".join(row.key for row in study.rows)
            raise UserError(f"{study.name} has no row called {chosen.rows[0]!r}; it has {known}")
        problems += execute(
            study, rows, chosen.overrides, chosen.seeds, chosen.ledger, chosen.apart
        )
    if chosen.page is not None:
        entries = ledger.read(chosen.ledger)
        if not entries:
            raise UserError(f"{chosen.ledger} holds no runs; run a study with it first")
        atomic_write_text(chosen.page, markdown(entries))
        print(chosen.page)
    return problems


def named(names: Sequence[str]) -> list[Study]:
    """Studies by name; `all` means all. Raises `UserError` with the nearest name."""
    if "all" in names:
        return list(STUDIES.values())
    for name in names:
        if name not in STUDIES:
            near = difflib.get_close_matches(name, STUDIES, n=1, cutoff=0.0)[0]
            raise UserError(f"no study is called {name!r}; did you mean {near!r}?")
    return [STUDIES[name] for name in names]


if __name__ == "__main__":
    main()
