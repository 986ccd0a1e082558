"""The `fovea` command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import UserError

EXAMPLES = """examples:
  fovea data add salicon ~/datasets/salicon      then: dvc exp run -S data=salicon -S profile=small
  fovea weights add mobilenet_v2 ~/weights/mobilenet_v2.safetensors
  fovea data list
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; a user's mistake is one line on standard error and status 2."""
    parsed = parser().parse_args(arguments)
    try:
        parsed.run(parsed)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def parser() -> argparse.ArgumentParser:
    """All commands with their help."""
    top = argparse.ArgumentParser(
        prog="fovea",
        description="Where your data sets and weights lie; the pipeline runs with `dvc repro`.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for kind, what in (("data", "a data set's folder"), ("weights", "a weights file")):
        group = commands.add_parser(kind, help=f"register {what} under a name")
        actions = group.add_subparsers(required=True, metavar="ACTION")
        add = actions.add_parser("add", help=f"remember {what}")
        add.add_argument("name", help="as configurations call it, such as salicon")
        add.add_argument("path", type=Path)
        add.set_defaults(run=_add, kind=kind)
        remove = actions.add_parser("remove", help="forget it; files stay")
        remove.add_argument("name")
        remove.set_defaults(run=_remove, kind=kind)
        listing = actions.add_parser("list", help="show what is registered")
        listing.set_defaults(run=_list, kind=kind)
    return top


def _add(parsed: argparse.Namespace) -> None:
    from pipeline.data import roots

    path = roots.add(parsed.kind, parsed.name, parsed.path)
    print(f"{parsed.kind} {parsed.name}: {path}")


def _remove(parsed: argparse.Namespace) -> None:
    from pipeline.data import roots

    roots.remove(parsed.kind, parsed.name)


def _list(parsed: argparse.Namespace) -> None:
    from pipeline.data import roots

    known = roots.registered(parsed.kind)
    for name, path in known.items():
        print(f"{name}\t{path}")
    if not known:
        print(f"nothing yet; fovea {parsed.kind} add NAME PATH", file=sys.stderr)
