"""The paper's ablations: run, queued as DVC experiments, and shown beside the paper's figures.

    python -m benchmarks.ablation --list                             studies, rows, overrides
    python -m benchmarks.ablation table5 --seeds 0 1                 on the sample data
    python -m benchmarks.ablation all -S data=salicon -S profile=small --ledger docs/ablation/ledger.jsonl
    python -m benchmarks.ablation --ledger docs/ablation/ledger.jsonl --page docs/ablation/ablation.html
    python -m benchmarks.ablation --queue all --seeds 0 1 2          then: dvc queue start
    python -m benchmarks.ablation --collect                          when the queue has ended

Every row of a study takes as many gradient steps through the student as the whole protocol, hint
pretraining included. Data, teachers, labels and equal trainings are made once for all rows; what
the ledger has is not run again, and a killed run goes on. Trainings lie in the folder `ablation`
of FOVEA_SCRATCH: remove it to start afresh after a change of code.
"""  # noqa: E501 - a command is one line

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.ablation import experiments, ledger, page
from benchmarks.ablation.plan import composed, merged, overrides_of, refuse_own
from benchmarks.ablation.run import execute, planned
from benchmarks.ablation.studies import STUDIES, Row, Study, chosen_rows, named
from pipeline.errors import UserError
from pipeline.files import atomic_write_text

LEDGER = Path("ablation.jsonl")


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ablation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("studies", nargs="*", help=f"{', '.join(STUDIES)}, or all")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--rows", nargs="+", help="only these rows, by the keys --list shows")
    parser.add_argument("-S", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--ledger", type=Path, default=LEDGER, help=f"default: {LEDGER}")
    parser.add_argument("--page", type=Path, help="draw this HTML file, and Markdown beside it")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--list", action="store_true", help="compose every row and show it")
    how.add_argument("--queue", action="store_true", help="queue DVC experiments, run nothing")
    how.add_argument("--collect", action="store_true", help="take in experiments that have ended")
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
    """Run, queue, collect or list, then draw; what was not done, a line each."""
    problems: list[str] = []
    if chosen.collect:
        number, waiting = experiments.collect(chosen.ledger)
        print(f"{number} experiments taken into {chosen.ledger}")
        problems = [f"{name}: not finished; see dvc queue status" for name in waiting]
    elif chosen.list:
        return listed(*_selected(chosen), chosen.overrides)
    elif chosen.queue or chosen.studies:
        studies, rows = _selected(chosen)
        runs = list(planned(studies, rows, chosen.overrides, chosen.seeds))
        if chosen.queue:
            problems = experiments.queue(runs, chosen.ledger)
            print("start them with: dvc queue start; then: python -m benchmarks.ablation --collect")
        else:
            problems = execute(runs, chosen.ledger)
    elif chosen.page is None:
        raise UserError(f"name a study: {', '.join(STUDIES)}, or all; --help shows examples")
    if chosen.page is not None:
        draw(chosen.ledger, chosen.page)
    return problems


def draw(source: Path, target: Path) -> None:
    """The page and its Markdown from a ledger."""
    entries = ledger.read(source)
    if not entries:
        raise UserError(f"{source} holds no runs; run a study with --ledger {source} first")
    beside = target.with_suffix(".md")
    atomic_write_text(target, page.render(entries, str(source), str(target)))
    atomic_write_text(beside, page.markdown(entries, str(source)))
    print(f"{target} and {beside}")


def listed(studies: Sequence[Study], rows: dict[str, list[Row]], given: Sequence[str]) -> list[str]:
    """Print every row with what it overrides; those that do not compose are returned."""
    problems = []
    for study in studies:
        refuse_own(given, rows[study.name])
        print(f"{study.name}: {study.title}")
        for row in rows[study.name]:
            try:
                overrides = merged(overrides_of(study, row, given, 0), row.measured)
                composed(overrides)
            except UserError as error:
                problems.append(f"{study.name}, {row.key}: {error}")
                continue
            shown = " ".join(o for o in overrides if o != "seed=0")
            print(f"  {row.key:28} {row.title:46} {shown}")
    return problems


def _selected(chosen: argparse.Namespace) -> tuple[list[Study], dict[str, list[Row]]]:
    studies = named(chosen.studies)
    return studies, chosen_rows(studies, chosen.rows)


if __name__ == "__main__":
    main()
