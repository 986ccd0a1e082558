"""`fovea doctor`: what works on this machine, and how to mend what does not."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from fovea.commands.arguments import Commands, add_command

if TYPE_CHECKING:
    from fovea.doctor.finding import Finding

EXAMPLES = """examples:
  fovea doctor            ✓ works   – not there, and not needed for the rest   ✗ broken

Status 1 when something that is needed is broken. Nothing is downloaded.
"""


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "doctor",
        "what works on this machine, and how to mend the rest",
        "Loads PyTorch and the runtimes, runs the model there is, looks at disk, memory and "
        "registered roots.",
        EXAMPLES,
    )
    parser.set_defaults(run=run)


def run(_parsed: argparse.Namespace) -> int:
    """Print every finding; status 1 when something is broken."""
    from fovea.doctor.finding import Mark

    found = examine()
    wide = max(len(finding.what) for finding in found)
    for finding in found:
        print(f"{finding.mark.value} {finding.what.ljust(wide)}  {finding.text}")
        if finding.mend and finding.mark is not Mark.WORKS:
            print(f"  {' ' * wide}  → {finding.mend}")
    broken = sum(finding.mark is Mark.BROKEN for finding in found)
    print(f"{broken} broken" if broken else "nothing is broken")
    return 1 if broken else 0


def examine() -> list[Finding]:
    """All findings, in the order of the list; the slow ones are looked at side by side."""
    from fovea.doctor import place, stack

    checks: list[Callable[[], Finding | list[Finding]]] = [
        stack.python, stack.torch, stack.executorch, stack.native, stack.litert, stack.converters,
        stack.dvc, stack.chromium, stack.opencv, stack.torchvision,
        place.disk, place.memory, place.roots, place.model,
    ]  # fmt: skip
    with ThreadPoolExecutor(max_workers=4) as pool:
        results = list(pool.map(lambda check: check(), checks))
    return [one for found in results for one in (found if isinstance(found, list) else [found])]
