"""`fovea shelf`: finished students of this user, whatever workspace made them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from fovea.commands.arguments import Commands, add_actions, add_command
from pipeline.errors import UserError

EXAMPLES = """examples:
  fovea shelf list
  fovea shelf show 3fa2                  the first digits of a hash are enough
  fovea shelf remove 3fa2                asks first; --yes does not
  fovea predict photo.jpg -o out/ --model 3fa2

`dvc repro` puts every finished bundle and its checkpoint onto the shelf.
"""
METRICS = {
    "saliency": ("NSS", "CC"),
    "salient_object": ("S", "F"),
    "semantic": ("accuracy", "IoU"),
    "classification": ("top1", "P"),
}
"""By task, those that a budget limits; said here, as asking the tasks would import torch."""
OVER_ALL = {"semantic": ("mIoU",)}
"""Where a student is judged by all images together: what the list shows instead."""


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "shelf",
        "finished students: list, show, remove",
        "Bundles and checkpoints that the pipeline has finished, kept for this user when a "
        "workspace moves on (FOVEA_SHELF says where).",
        EXAMPLES,
    )
    actions = add_actions(parser)
    actions.add_parser("list", help="every entry, newest last").set_defaults(run=_list)
    show = actions.add_parser("show", help="one entry: its files, sizes and metrics")
    show.add_argument("hash", help="first digits")
    show.set_defaults(run=_show)
    remove = actions.add_parser("remove", help="delete one entry")
    remove.add_argument("hash", help="first digits")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    remove.set_defaults(run=_remove)


def _list(_parsed: argparse.Namespace) -> None:
    from fovea.table import mebibytes, table
    from pipeline import shelf

    known = shelf.entries()
    if not known:
        print(f"the shelf is empty ({shelf.root()}); `dvc repro` fills it", file=sys.stderr)
        return
    manifests = [_manifest(home) for home in known]
    metrics = _columns(manifests)
    lines = [
        (
            home.name,
            home.parent.name,
            _date(home),
            str(len(manifest.get("artefacts", {}))),
            mebibytes(shelf.size(home)),
            *_torch(manifest, metrics),
        )
        for home, manifest in zip(known, manifests, strict=True)
    ]
    head = ("hash", "student", "made", "files", "MiB", *metrics)
    print(table(head, lines, text=(0, 1, 2)))


def _show(parsed: argparse.Namespace) -> None:
    from fovea.table import mebibytes, table
    from pipeline import shelf

    home = shelf.select(parsed.hash)
    manifest = _manifest(home)
    print(f"{home.parent.name} {home.name}, made {_date(home)}, {mebibytes(shelf.size(home))} MiB")
    print(home)
    metrics = METRICS.get(_task(manifest), ())
    lines = [
        ("torch", "", *_torch(manifest, metrics), "", ""),
        *(
            _file(name, entry, metrics)
            for name, entry in sorted(manifest.get("artefacts", {}).items())
        ),
    ]
    head = ("file", "MiB", *metrics, "CC with torch", "")
    print(table(head, lines, text=(0, len(head) - 1)))


def _file(name: str, entry: dict[str, Any], shown: Sequence[str]) -> tuple[str, ...]:
    """A line of one exported file; what was not measured stays empty."""
    from fovea.table import mebibytes

    checked = entry.get("metrics") or {}
    values = checked.get("metrics") or {}
    parity = entry.get("parity") or {}
    metrics = (f"{values[m]['file']:.4f}" if m in values else "" for m in shown)
    agreement = f"{parity['cc_mean']:.4f}" if "cc_mean" in parity else ""
    # A problem is "what, against which bound; what to do": the report has all of it.
    problems = (str(problem).partition(",")[0] for problem in checked.get("problems") or [])
    notes = entry.get("reason") or "; ".join(problems)
    return name, mebibytes(entry.get("bytes")), *metrics, agreement, notes


def _remove(parsed: argparse.Namespace) -> None:
    from fovea.table import mebibytes
    from pipeline import shelf

    home = shelf.select(parsed.hash)
    named = f"{home.parent.name} {home.name} ({_date(home)}, {mebibytes(shelf.size(home))} MiB)"
    if not parsed.yes and not _agreed(f"delete {named}? [y/N] "):
        raise UserError(f"{home.name} stays on the shelf")
    shelf.remove(home)
    print(f"removed {named}")


def _agreed(question: str) -> bool:
    """The user's answer; nobody there to answer is a no that says so."""
    if not sys.stdin.isatty():
        raise UserError("nobody is there to be asked; add --yes to delete it")
    return input(question).strip().lower() in ("y", "yes")


def _manifest(home: Path) -> dict[str, Any]:
    """What the entry's bundle says; nothing where it cannot be read, so that it can be removed."""
    from pipeline.files import read_json

    try:
        content = read_json(home / "bundle" / "manifest.json")
    except UserError:
        return {}
    return content if isinstance(content, dict) else {}


def _task(manifest: dict[str, Any]) -> str:
    spec = manifest.get("spec")
    return str(spec.get("task", "")) if isinstance(spec, dict) else ""


def _columns(manifests: Sequence[dict[str, Any]]) -> list[str]:
    """Metrics of every task on the shelf, those of one beside each other."""
    there = {_task(manifest) for manifest in manifests}
    tasks = [task for task in METRICS if task in there]
    return [name for task in tasks for name in OVER_ALL.get(task, METRICS[task])]


def _torch(manifest: dict[str, Any], shown: Sequence[str]) -> tuple[str, ...]:
    """The student's own metrics, in torch."""
    student = manifest.get("lineage", {}).get("torch_metrics", {}).get("student", {})
    return tuple(f"{student[name]:.4f}" if name in student else "" for name in shown)


def _date(home: Path) -> str:
    made = (home / "bundle" / "manifest.json").stat().st_mtime
    return datetime.fromtimestamp(made).astimezone().strftime("%Y-%m-%d %H:%M")
