"""`fovea gate`: judge a bundle's files by a budget, with an exit status for CI."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fovea.commands.arguments import Commands, add_command
from pipeline.errors import UserError

if TYPE_CHECKING:
    from mobile.gate import Facts, Verdict
    from pipeline.config.schema import Budget

EXAMPLES = """examples:
  fovea gate                                    outputs/bundle by conf/budget
  fovea gate 3fa2 budget.size_mib=4             a bundle on the shelf, with a bound of your own
  fovea gate outputs/bundle --recipe executorch_int8 --all

Judged are task metrics at the bad end of their 95 % intervals, fidelity to torch, size, delegation,
delegates that did not come, and p95 milliseconds where a device was measured. Exit status 1 if any
file breaks a bound.
"""


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "gate",
        "judge a bundle's files by a budget; status 1 for a breach",
        "Prints what breaks the budget, by how much, and what to do about it.",
        EXAMPLES,
    )
    parser.add_argument("given", nargs="*", metavar="BUNDLE | budget.KEY=VALUE")
    parser.add_argument("--recipe", metavar="NAME", help="one file alone")
    parser.add_argument("--all", action="store_true", help="print what passed, too")
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Print the table; 1 if a file breaks a bound."""
    from fovea.table import table
    from mobile.gate import judge

    overrides = [word for word in parsed.given if "=" in word]
    named = [word for word in parsed.given if "=" not in word]
    if len(named) > 1:
        raise UserError(f"{len(named)} bundles are given; judge one at a time")
    bundle, budget = bundle_of(named[0] if named else "outputs/bundle"), budget_of(overrides)
    files = facts_of(bundle, parsed.recipe)
    judged = {name: judge(facts, budget) for name, facts in files.items()}
    shown = [
        (name, verdict)
        for name, verdicts in judged.items()
        for verdict in verdicts
        if parsed.all or not verdict.passed
    ]
    if shown:
        print(table(HEAD, [row(name, verdict) for name, verdict in shown], text=range(len(HEAD))))
    broken = [name for name, found in judged.items() if not all(v.passed for v in found)]
    for name in (name for name, facts in files.items() if facts.losses is None):
        print(f"{name}: not executed where it was checked, so not judged by what it computes")
    print(f"{len(judged) - len(broken)} of {len(judged)} files are within the budget")
    return int(bool(broken))


HEAD = ("file", "rule", "measured", "allowed", "", "what to do")


def row(name: str, verdict: Verdict) -> tuple[str, ...]:
    """A line of the table."""
    word, advice = ("ok", "") if verdict.passed else ("BROKEN", verdict.way_out)
    return name, verdict.rule, verdict.value, verdict.bound, word, advice


def bundle_of(name: str) -> Path:
    """The bundle's folder: a path, what holds one, or an entry of the shelf."""
    from mobile import manifest
    from pipeline import shelf

    path = Path(name)
    if not path.exists() and shelf.is_key(name):
        path = shelf.select(name)
    for folder in (path, path / "bundle", path / "outputs" / "bundle"):
        if (folder / manifest.NAME).is_file():
            return folder
    raise UserError(f"{name} holds no bundle; make one with `dvc repro`, or name one of the shelf")


def budget_of(overrides: list[str]) -> Budget:
    """conf/budget with overrides; `UserError` for one that is not of the budget."""
    from pipeline.config.load import compose

    for override in overrides:
        if not override.startswith("budget"):
            raise UserError(f"{override}: only budget.KEY=VALUE (or budget=NAME) can be set here")
    return compose(overrides).budget


def facts_of(bundle: Path, recipe: str | None) -> dict[str, Facts]:
    """What the manifest says of each file, or of one; nothing is run."""
    from mobile import manifest, recipes
    from pipeline import tasks

    content = manifest.load(bundle)
    entries = content["artefacts"]
    if recipe is not None:
        recipes.get(recipe)
        if recipe not in entries:
            raise UserError(f"{bundle} has no {recipe}; it has {', '.join(sorted(entries))}")
        entries = {recipe: entries[recipe]}
    gated = tasks.get(content["spec"]["task"]).gated
    where = str(bundle / manifest.NAME)
    return {name: _facts(entry, gated, where) for name, entry in sorted(entries.items())}


def _facts(entry: dict[str, Any], gated: tuple[str, ...], where: str) -> Facts:
    from mobile import recipes
    from mobile.backend import Delegation
    from mobile.gate import Facts
    from mobile.latency_row import parse

    found, checked = entry["delegation"], entry["metrics"] or {}
    losses = checked.get("metrics")
    return Facts(
        recipe=recipes.get(entry["recipe"]),
        bytes=entry["bytes"],
        parameters=checked.get("parameters"),
        delegation=None if found is None else Delegation(**found),
        parity=entry["parity"],
        losses=None if losses is None else {metric: losses[metric] for metric in gated},
        strata=checked.get("strata"),
        latency=[parse(row, f"{where}: {entry['recipe']}") for row in entry["latency"]],
    )
