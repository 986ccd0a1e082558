"""`fovea data`: where data sets lie, and whether they are what their layout says."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fovea.commands.arguments import Commands, add_actions, add_command
from fovea.commands.fetch import add_fetch
from fovea.commands.registry import add_registry

EXAMPLES = """examples:
  fovea data add salicon ~/datasets/salicon    then: dvc exp run -S data=salicon -S profile=small
  fovea data check salicon                     looks at every file, tells what is wrong
  fovea data check ~/datasets/photos --layout folder
  fovea data fetch osie                        downloads it and registers it; --list shows all
  fovea data list
  fovea data remove salicon                    forgets it; files stay

  FOVEA_DATA_SALICON=FOLDER in the environment does the same for one run.
"""


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "data",
        "fetch data sets, register them under names, and check them",
        "Names for data sets. They are remembered for this user and found from any checkout; no "
        "path enters a tracked file.",
        EXAMPLES,
    )
    actions = add_actions(parser)
    add_registry(actions, "data", "a data set's folder")
    add_fetch(actions)
    check = actions.add_parser("check", help="look at every file and tell what is wrong")
    check.add_argument("which", metavar="NAME|FOLDER", help="a registered name, or a folder")
    check.add_argument("--layout", help="how files lie (default: the one that fits)")
    check.add_argument(
        "--decode", action="store_true", help="decode every image and map too: slower, finds more"
    )
    check.set_defaults(run=_check)


def _check(parsed: argparse.Namespace) -> int:
    """Survey a data set; status 1 when something is wrong with it."""
    from pipeline.data.survey import survey
    from pipeline.engine.progress import Meter

    root = root_of(parsed.which)
    with Meter("check", 0, "images") as meter:
        found = survey(root, parsed.layout, meter, decode=parsed.decode)
    print(f"{root}: layout {found.layout}")
    if found.edition:
        print(f"  edition {found.edition}")
    for split, images in found.splits.items():
        print(f"  {split}: {images} images")
    for problem in found.problems:
        print(f"  {problem}", file=sys.stderr)
    if found.problems:
        print(f"{len(found.problems)} problems", file=sys.stderr)
        return 1
    print("nothing is wrong with it")
    return 0


def root_of(which: str) -> Path:
    """A data set's folder, by its registered name first: a folder of that name is `./NAME`."""
    from pipeline.data import roots

    path = Path(which)
    if which not in roots.registered("data") and path.is_dir():
        return path
    return roots.resolve(which)
