"""add, list and remove of registered roots: the same for data sets and weights."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fovea.commands.arguments import Commands


def add_registry(actions: Commands, kind: str, what: str) -> None:
    """Describe the three actions for `kind` (`data` or `weights`)."""
    add = actions.add_parser("add", help=f"remember {what}")
    add.add_argument("name", help="as configurations call it, such as salicon")
    add.add_argument("path", type=Path)
    add.set_defaults(run=_add, kind=kind)
    listing = actions.add_parser("list", help="show what is registered")
    listing.set_defaults(run=_list, kind=kind)
    remove = actions.add_parser("remove", help="forget it; files stay")
    remove.add_argument("name")
    remove.set_defaults(run=_remove, kind=kind)


def _add(parsed: argparse.Namespace) -> None:
    from pipeline.data import roots

    path = roots.add(parsed.kind, parsed.name, parsed.path)
    print(f"{parsed.kind} {parsed.name}: {path}")


def _remove(parsed: argparse.Namespace) -> None:
    from pipeline.data import roots

    roots.remove(parsed.kind, parsed.name)
    print(f"{parsed.kind} {parsed.name} is forgotten; its files stay")


def _list(parsed: argparse.Namespace) -> None:
    from pipeline.data import roots

    known = roots.registered(parsed.kind)
    for name, path in known.items():
        print(f"{name}\t{path}" if path.exists() else f"{name}\t{path}\tmissing")
    if not known:
        print(f"nothing yet; fovea {parsed.kind} add NAME PATH", file=sys.stderr)
