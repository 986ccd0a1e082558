"""`fovea target`: the exported files on other runtimes than this environment's own."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from fovea.commands.arguments import Commands, add_actions, add_command, positive
from pipeline.errors import UserError

if TYPE_CHECKING:
    from mobile.backend import Array

EXAMPLES = """examples:
  fovea target list                              what there is, and what is missing for it
  fovea target setup oldest                      tflite-runtime 2.14.0, in an environment of its own
  fovea target check outputs/bundle --on oldest  every file it takes, beside this machine's runtime

A file that a runtime refuses is a result: it is printed, recorded in outputs/targets/NAME.json, and
the exit status is 1.
"""


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "target",
        "exported files on other runtimes: do they load, do they compute the same",
        "Other runtimes take the very same files; each is installed apart from this environment.",
        EXAMPLES,
    )
    actions = add_actions(parser)
    listing = actions.add_parser("list", help="what there is, and what is missing for it")
    listing.set_defaults(run=_list)
    setup = actions.add_parser("setup", help="install what a target needs")
    setup.add_argument("name")
    setup.set_defaults(run=_setup)
    check = actions.add_parser("check", help="run files there and here, and compare")
    check.add_argument("given", type=Path, help="an exported file or a bundle")
    check.add_argument("--on", required=True, metavar="NAME", help="a target")
    check.add_argument("--images", type=positive, default=4, help="generated scenes (default: 4)")
    check.set_defaults(run=_check)


def _list(_parsed: argparse.Namespace) -> None:
    from mobile import targets

    for name in targets.names():
        target = targets.get(name)
        print(f"{name}  {target.summary}: {target.refusal() or 'ready'}")


def _setup(parsed: argparse.Namespace) -> None:
    from mobile import targets

    target = targets.get(parsed.name)
    print(f"setting up {target.name}: {target.summary} …", file=sys.stderr, flush=True)
    target.setup()
    print(f"{target.name}: ready")


def _check(parsed: argparse.Namespace) -> int:
    from fovea.table import table
    from mobile import targets
    from mobile.targets.check import WAY_OUT, check
    from pipeline.files import write_json

    target = targets.get(parsed.on)
    reason = target.refusal()
    if reason is not None:
        raise UserError(f"{target.name}: {reason}")
    found = [
        check(target, path, scenes(path, parsed.images))
        for path in files(parsed.given, target.suffixes)
    ]
    write_json(Path("outputs/targets") / f"{target.name}.json", [asdict(each) for each in found])
    rows = [
        (
            path.parent.name,
            "" if each.max_abs is None else f"{each.max_abs:.2g}",
            "" if each.cc_min is None else f"{each.cc_min:.5f}",
            "runs alike" if each.alike else each.refused or "runs, but computes otherwise",
        )
        for path, each in zip(files(parsed.given, target.suffixes), found, strict=True)
    ]
    print(table(("file", "max abs", "least CC", ""), rows, text=(0, 3)))
    if all(each.alike for each in found):
        return 0
    print(f"what to do: {WAY_OUT}")
    return 1


def files(given: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """The files of a bundle, or the one given, that a target runs; `UserError` for none."""
    found = [given] if given.suffix in suffixes else []
    if given.is_dir():
        found = sorted(path for end in suffixes for path in given.rglob(f"model{end}"))
    if not found:
        raise UserError(f"{given} holds nothing that ends in {', '.join(suffixes)}")
    return found


def scenes(path: Path, count: int) -> list[Array]:
    """Generated scenes at the size a file takes."""
    import numpy as np

    from fovea.predict.runners import exported, input_size
    from pipeline.data.resize import resize
    from pipeline.data.sample.compose import compose
    from pipeline.data.sample.render import render

    height, width = input_size(exported(path, 1))
    pixels = (render(compose(seed)).pixels for seed in range(count))
    small = (resize(image, height, width).transpose(2, 0, 1)[None] for image in pixels)
    return [np.ascontiguousarray(image, dtype=np.float32) for image in small]
