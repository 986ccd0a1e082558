"""`fovea data fetch`: a data set's official archives, downloaded, verified and unpacked."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fovea.commands.arguments import Commands
from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.data.fetch import Archive

EXAMPLES = """examples:
  fovea data fetch --list                        what there is, how big, under which terms
  fovea data fetch osie                          into FOVEA_DATASETS/osie, or the user's folder
  fovea data fetch coco --only val2017 annotations --to /big/coco
  fovea data fetch salicon --from ~/Downloads    archives that a browser downloaded
  fovea data fetch coco --from /mnt/archives     whatever lies there is not downloaded

  Ctrl-C is safe: the same command goes on from there. A second time it does nothing.
"""


def add_fetch(actions: Commands) -> None:
    """Describe the action."""
    fetch = actions.add_parser(
        "fetch",
        help="download a data set's official archives and register it",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    fetch.add_argument("name", nargs="?", help="which data set; --list shows all")
    fetch.add_argument("--to", type=Path, metavar="FOLDER", help="the root to make or complete")
    fetch.add_argument("--only", nargs="+", default=[], metavar="PART", help="some parts of it")
    fetch.add_argument(
        "--from", dest="given", type=Path, metavar="FOLDER", help="where archives already lie"
    )
    fetch.add_argument(
        "--keep-archives", action="store_true", help="keep them in .fetch after unpacking"
    )
    fetch.add_argument(
        "--accept",
        action="store_true",
        help="trust an archive although its digest is not the known one",
    )
    fetch.add_argument("--list", action="store_true", help="show what can be fetched")
    fetch.set_defaults(run=_fetch, stopped="stopped; the same command goes on from here")


def _fetch(parsed: argparse.Namespace) -> None:
    from pipeline.data import fetch, roots
    from pipeline.data.fetch.flow import described

    if parsed.list:
        _list([parsed.name] if parsed.name else fetch.names())
        return
    if parsed.name is None:
        raise UserError(f"name a data set: {', '.join(fetch.names())}; --list tells about them")
    source = fetch.get(parsed.name)
    root = fetch.root_for(source.name, parsed.to)
    given = parsed.given.expanduser().absolute() if parsed.given else None
    print(described(source), flush=True)
    options = fetch.Options(tuple(parsed.only), given, parsed.keep_archives, parsed.accept)
    parts = fetch.fetch(source, root, options, lambda line: print(line, flush=True))
    path = roots.add("data", source.name, root)
    print(f"data {source.name}: {path}")
    if roots.registered("data")[source.name] != path:
        print(f"but {roots.variable('data', source.name)} is set, and wins over that")
    if any(part.fresh for part in parts):
        print(f"look at every file of it: fovea data check {source.name}")
    else:
        print("nothing was left to fetch")


def _list(names: list[str]) -> None:
    from fovea.table import table
    from pipeline.data import fetch

    for name in names:
        source = fetch.get(name)
        print(f"{source.name}  {source.title}\n  {source.page}\n  terms: {source.terms}")
        rows = [[archive.part, _size(archive), _digest(archive)] for archive in source.archives]
        lines = table(["part", "size", "digest"], rows, text=(0, 2)).splitlines()
        print("\n".join(f"  {line}" for line in lines))
        if by_hand := next((a.by_hand for a in source.archives if a.by_hand), ""):
            print(f"  downloaded by hand: {by_hand}")
        print()


def _size(archive: Archive) -> str:
    from pipeline.data.fetch.place import gigabytes

    return gigabytes(archive.size) if archive.size else archive.about or "not known"


def _digest(archive: Archive) -> str:
    return "known" if archive.md5 or archive.sha256 else "of the first one seen"
