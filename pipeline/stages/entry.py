"""What every stage entry shares: checked configuration first, and errors a person can use."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable

from pipeline.config import Config, load
from pipeline.errors import UserError

Stage = Callable[..., None]


def stage(run: Stage) -> Callable[[], None]:
    """Make `run(config, *arguments)` an entry point.

    The whole configuration is checked before any work. A `UserError` is printed without a
    traceback and exits with status 2; Ctrl-C exits with 130, and the next run goes on.
    """

    @functools.wraps(run)
    def main() -> None:
        # Converters and runtimes read these once, at import.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        try:
            config: Config = load()
            run(config, *arguments(run))
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)
        except KeyboardInterrupt:
            print("\nstopped; `dvc repro` goes on from here", file=sys.stderr)
            sys.exit(130)

    return main


def arguments(run: Stage) -> list[str]:
    """The command's arguments, as many as `run` takes besides the configuration."""
    given, expected = sys.argv[1:], len(inspect.signature(run).parameters) - 1
    if len(given) != expected:
        raise UserError(f"{run.__module__} takes {expected} argument(s), see dvc.yaml")
    return given
