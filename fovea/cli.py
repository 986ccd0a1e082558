"""The `fovea` command line: registers the commands and turns what goes wrong into one line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from fovea.commands import (
    bench,
    bundle,
    compare,
    config,
    data,
    doctor,
    gate,
    lint,
    predict,
    shelf,
    submit,
    target,
    weights,
)
from pipeline.errors import UserError

COMMANDS = (
    predict,
    bench,
    gate,
    lint,
    compare,
    target,
    submit,
    shelf,
    bundle,
    data,
    weights,
    config,
    doctor,
)
EXAMPLES = """examples:
  fovea predict photo.jpg -o out/                where people would look, with the newest model
  fovea bench outputs/bundle                     milliseconds of each of its files
  fovea data add salicon ~/datasets/salicon      then: dvc exp run -S data=salicon -S profile=small
  fovea config --student fastsal_c               what a student composes to
  fovea doctor                                   what works on this machine
  fovea COMMAND --help                           examples of each
"""
_USAGE, _INTERRUPTED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status.

    A user's mistake is one line on standard error and status 2; Ctrl-C is one line and 130.
    """
    parsed = parser().parse_args(arguments)
    # Runtimes read these once, at import.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        status: int = parsed.run(parsed) or 0
        sys.stdout.flush()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return _USAGE
    except KeyboardInterrupt:
        print(f"\n{parsed.stopped}", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has enough, as in `fovea … | head`; Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def parser() -> argparse.ArgumentParser:
    """All commands with their help."""
    top = argparse.ArgumentParser(
        prog="fovea",
        description="Attention maps from phone-sized models, and what surrounds the pipeline; "
        "the pipeline itself runs with `dvc repro`.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    top.set_defaults(stopped="stopped")
    for command in COMMANDS:
        command.add(commands)
    return top
