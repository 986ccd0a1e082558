"""`fovea lint`: what will go wrong with a student on phones, before anyone trains it."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, replace
from pathlib import Path

from fovea.commands.arguments import Commands, add_command
from pipeline.errors import UserError

EXAMPLES = """examples:
  fovea lint fastsal_c                          all backends, at the student's own size
  fovea lint fastsal_a --backend litert --strict
  fovea lint fastsal_a --size 256x320 --json findings.json

Weights are as initialised and calibration images noise: what is looked at is the graph's structure.
Exit status 1 if something breaks (operators left to slow kernels, no conversion at all), with
--strict for what slows, too.
"""
SEVERITIES = ("breaks", "slows", "note")


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "lint",
        "what will go wrong with a student on phones, before it is trained",
        "Exports the untrained student by every backend and reports operators that are not "
        "delegated, tensors of too many axes, float islands in int8 graphs and sizes that are not "
        "fixed, each with the rewrite to apply.",
        EXAMPLES,
    )
    parser.add_argument("student", help="a registered name")
    parser.add_argument("--backend", action="append", metavar="NAME", help="one or more; all")
    parser.add_argument("--size", metavar="HxW", help="of the input; the student's own")
    parser.add_argument("--strict", action="store_true", help="status 1 for what slows, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="findings as JSON")
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Print findings; 1 if any breaks."""
    import students
    from fovea.table import table
    from mobile.lint import BACKENDS, lint
    from pipeline.files import write_json

    for name in parsed.backend or ():
        if name not in BACKENDS:
            raise UserError(f"no backend is called {name!r}; known: {', '.join(BACKENDS)}")
    try:
        spec, student = students.spec(parsed.student), students.build(parsed.student)
    except ValueError as error:
        raise UserError(str(error)) from error
    if parsed.size:
        height, width = size_of(parsed.size, spec.multiple_of)
        spec = replace(spec, height=height, width=width)

    def tell(backend: str) -> None:
        print(f"exporting by {backend} …", file=sys.stderr, flush=True)

    found = lint(student, spec, parsed.backend, tell)
    found.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    if parsed.json:
        write_json(parsed.json, [asdict(finding) for finding in found])
    if found:
        rows = [(f.backend, f.severity, f.where, f.what, f.rewrite) for f in found]
        print(table(("backend", "", "where", "what", "rewrite"), rows, text=range(5)))
    wrong = SEVERITIES[: 2 if parsed.strict else 1]
    breaking = sum(finding.severity in wrong for finding in found)
    print(f"{parsed.student}: {len(found)} findings, {breaking} of them to be mended")
    return int(breaking > 0)


def size_of(text: str, multiple: int) -> tuple[int, int]:
    """`192x256` -> (192, 256); `UserError` for anything else."""
    sides = text.lower().split("x")
    if len(sides) != 2 or not all(side.isdigit() and int(side) > 0 for side in sides):
        raise UserError(f"--size {text}: give height x width, such as 192x256")
    height, width = int(sides[0]), int(sides[1])
    if height % multiple or width % multiple:
        raise UserError(f"--size {text}: both sides must be multiples of {multiple}")
    return height, width
