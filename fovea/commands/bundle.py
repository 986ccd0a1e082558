"""`fovea bundle`: bundles for the apps, and the vectors that the apps are tested with."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fovea.commands.arguments import Commands, add_actions, add_command
from pipeline.errors import UserError

EXAMPLES = """examples:
  fovea bundle install fastsal_a --app web          the newest on the shelf, into mobile/apps/web
  fovea bundle install 3fa2 --app android           an entry by its hash; fovea shelf list
  fovea bundle install outputs/bundle --app ios --to ~/code/MyApp/Bundles
  fovea bundle list --app web
  fovea bundle remove fastsal_a --app web
  fovea bundle verify outputs/bundle

An app gets the files that its runtimes can open and a manifest cut to match. What an app reads of
it is described in mobile/apps/README.md.
"""
APPS = ("web", "android", "ios")


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "bundle",
        "bundles for the apps: install, verify, remove",
        "Verified copies of finished bundles for the web, Android and iOS apps.",
        EXAMPLES,
    )
    actions = add_actions(parser)
    install = actions.add_parser("install", help="from the shelf into an app, verified")
    install.add_argument("student", help="a student on the shelf, a hash, or a bundle's folder")
    install.set_defaults(run=_install)
    listing = actions.add_parser("list", help="what an app has")
    listing.set_defaults(run=_list)
    remove = actions.add_parser("remove", help="take a bundle out of an app")
    remove.add_argument("student")
    remove.set_defaults(run=_remove)
    for action in (install, listing, remove):
        action.add_argument("--app", required=True, choices=APPS)
        action.add_argument("--to", type=Path, metavar="FOLDER", help="of an app of yours")
    verify = actions.add_parser("verify", help="whether a bundle is whole")
    verify.add_argument("folder", type=Path)
    verify.set_defaults(run=_verify)
    vectors = actions.add_parser("vectors", help="write mobile/apps/vectors anew")
    vectors.set_defaults(run=_vectors)


def _install(parsed: argparse.Namespace) -> None:
    from fovea.table import mebibytes
    from mobile.contract import install

    app = install.get(parsed.app)
    home = install.install(find(parsed.student), app, parsed.to)
    size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    recipes = sorted(path.name for path in (home / "artefacts").iterdir())
    print(f"{home.name} for {app.name}: {', '.join(recipes)}; {mebibytes(size)} MiB in {home}")


def find(given: str) -> Path:
    """The bundle meant by a student's name (the newest), a hash of the shelf, or a folder.

    Raises `UserError` saying what there is, for none.
    """
    from pipeline import shelf

    folder = Path(given)
    if (folder / "manifest.json").is_file():
        return folder
    named = shelf.entries(given) if folder.name == given else []
    if named:
        return named[-1] / "bundle"
    if shelf.is_key(given) and any(home.name.startswith(given) for home in shelf.entries()):
        return shelf.select(given) / "bundle"
    known = sorted({home.parent.name for home in shelf.entries()})
    there = f"it has {', '.join(known)}" if known else "it is empty; `dvc repro` fills it"
    raise UserError(f"{given!r} is neither a bundle's folder nor on the shelf ({there})")


def _list(parsed: argparse.Namespace) -> None:
    from mobile.contract import install

    folder = parsed.to or install.get(parsed.app).folder
    for name in install.installed(folder):
        print(name)
    if not install.installed(folder):
        print(f"nothing yet; fovea bundle install STUDENT --app {parsed.app}", file=sys.stderr)


def _remove(parsed: argparse.Namespace) -> None:
    from mobile.contract import install

    install.remove(parsed.student, parsed.to or install.get(parsed.app).folder)
    print(f"{parsed.student} is no longer in the {parsed.app} app")


def _verify(parsed: argparse.Namespace) -> int:
    from mobile.bundle import verify

    problems = verify(parsed.folder)
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems" if problems else f"{parsed.folder} is whole")
    return 1 if problems else 0


def _vectors(_parsed: argparse.Namespace) -> None:
    from mobile.contract import vectors

    vectors.write()
    print(vectors.FOLDER)
