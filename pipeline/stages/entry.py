"""What every stage entry shares: checked configuration first, and errors a person can use."""

from __future__ import annotations

import contextlib
import errno
import functools
import inspect
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline import ranks
from pipeline.config import Config, load
from pipeline.errors import UserError
from pipeline.files import unwritable
from pipeline.lock import alone
from pipeline.paths import OUTPUTS
from pipeline.stages import interrupt, launch
from pipeline.stages.names import check_here

LOCKS = OUTPUTS / ".locks"
Stage = Callable[..., None]
Run = Callable[[Stage, Config, list[str]], None]
SECONDS_FOR_THE_FIRST = 2.0
"""What launched ranks leave the first one to tell a mistake that all of them meet."""


def stage(run: Stage) -> Callable[[], None]:
    """Make `run(config, *arguments)` an entry point.

    The whole configuration is checked before any work, and a second run of the same stage in one
    workspace is refused. A `UserError` is printed without a traceback and exits with status 2;
    Ctrl-C exits with 130, and the next run goes on.
    """
    return _entry(run, _run)


def divided(run: Stage) -> Callable[[], None]:
    """Make a `stage` whose work `machine.processes` processes divide, each its `rank()`."""
    return _entry(run, functools.partial(_run_as_ranks, _run, ranks.of_shares))


def joint(run: Stage) -> Callable[[], None]:
    """Make a `stage` that `machine.processes` processes do in step; only the first one writes."""
    return _entry(run, functools.partial(_run_as_ranks, _run_in_step, lambda _: ranks.Rank()))


def _entry(run: Stage, how: Run) -> Callable[[], None]:
    @functools.wraps(run)
    def main() -> None:
        # Converters and runtimes read these once, at import.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        with interrupt.Interrupts() as interrupts:
            try:
                config = load()
                check_here(config)
                how(run, config, arguments(run))
            except KeyboardInterrupt:
                interrupt.stop()
            except Exception as error:
                if interrupts.came:  # what a library made of it
                    interrupt.stop()
                mistake = _mistake(error)
                if mistake is None:
                    raise
                if not ranks.speaks(os.environ):
                    time.sleep(SECONDS_FOR_THE_FIRST)
                print(f"error: {mistake}", file=sys.stderr, flush=True)
                sys.exit(2)

    return main


def _run(run: Stage, config: Config, given: list[str]) -> None:
    with _alone(run, given, lock_file(run, given)):
        run(config, *given)


def _run_in_step(run: Stage, config: Config, given: list[str]) -> None:
    whole = LOCKS / _lock_name([_name(run), *given])
    first = ranks.in_step().number == 0
    with _alone(run, given, whole) if first else contextlib.nullcontext():
        run(config, *given)


def _run_as_ranks(how: Run, outer: Callable[[ranks.Environment], ranks.Rank], *what: Any) -> None:
    processes = what[1].machine.processes
    if launch.wanted(processes, os.environ):
        launch.launch(processes, outer(os.environ))
    else:
        launch.follow_parent(os.environ)
        how(*what)


def _alone(run: Stage, given: list[str], lock: Path) -> contextlib.AbstractContextManager[None]:
    return alone(lock, " ".join(["a run of", _name(run), *given]))


_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


def _mistake(error: Exception) -> UserError | None:
    """What the user can mend, if that is what failed: a full disk is, wherever it was met."""
    if isinstance(error, UserError):
        return error
    if isinstance(error, OSError) and error.errno in _DISK:
        return unwritable(Path(error.filename or OUTPUTS), error)
    return None


def rank() -> tuple[int, int]:
    """Which process this is of how many that divide a stage: see `pipeline.ranks.of_shares`."""
    found = ranks.of_shares(os.environ)
    return found.number, found.world


def part() -> str | None:
    """A name for this process's share of a stage, or None where it has all of it."""
    number, world = rank()
    return f"rank{number}of{world}" if world > 1 else None


def lock_file(run: Stage, given: list[str]) -> Path:
    """One lock for each stage with its arguments and, among several processes, its rank."""
    return LOCKS / _lock_name([_name(run), *given, *filter(None, [part()])])


def _lock_name(parts: list[str]) -> str:
    return f"{'-'.join(parts).replace('/', '-')}.lock"


def _name(run: Stage) -> str:
    # A stage that is being run is called `__main__`; its file keeps the name.
    return Path(inspect.getfile(run)).stem


def arguments(run: Stage) -> list[str]:
    """The command's arguments, as many as `run` takes besides the configuration."""
    given, names = sys.argv[1:], [name.upper() for name in inspect.signature(run).parameters][1:]
    if len(given) != len(names):
        usage = " ".join([f"python -m pipeline.stages.{_name(run)}", *names])
        raise UserError(f"{len(given)} argument(s) given to `{usage}`; dvc.yaml says which")
    return given
