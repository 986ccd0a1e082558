"""What every stage entry shares: checked configuration first, and errors a person can use."""

from __future__ import annotations

import errno
import functools
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path

from pipeline.config import Config, load
from pipeline.errors import UserError
from pipeline.files import unwritable
from pipeline.lock import alone
from pipeline.paths import OUTPUTS
from pipeline.stages import interrupt
from pipeline.stages.names import check_here

LOCKS = OUTPUTS / ".locks"
Stage = Callable[..., None]


def stage(run: Stage) -> Callable[[], None]:
    """Make `run(config, *arguments)` an entry point.

    The whole configuration is checked before any work, and a second run of the same stage in one
    workspace is refused. A `UserError` is printed without a traceback and exits with status 2;
    Ctrl-C exits with 130, and the next run goes on.
    """

    @functools.wraps(run)
    def main() -> None:
        # Converters and runtimes read these once, at import.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        with interrupt.Interrupts() as interrupts:
            try:
                _run(run)
            except KeyboardInterrupt:
                interrupt.stop()
            except Exception as error:
                if interrupts.came:  # what a library made of it
                    interrupt.stop()
                mistake = _mistake(error)
                if mistake is None:
                    raise
                print(f"error: {mistake}", file=sys.stderr)
                sys.exit(2)

    return main


def _run(run: Stage) -> None:
    config: Config = load()
    check_here(config)
    given = arguments(run)
    with alone(lock_file(run, given), " ".join(["a run of", _name(run), *given])):
        run(config, *given)


_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


def _mistake(error: Exception) -> UserError | None:
    """What the user can mend, if that is what failed: a full disk is, wherever it was met."""
    if isinstance(error, UserError):
        return error
    if isinstance(error, OSError) and error.errno in _DISK:
        return unwritable(Path(error.filename or OUTPUTS), error)
    return None


def rank() -> tuple[int, int]:
    """Which process this is of how many that share a stage, from RANK and WORLD_SIZE."""
    found = []
    for name, default in (("RANK", "0"), ("WORLD_SIZE", "1")):
        text = os.environ.get(name, default)
        if not text.isdecimal():
            raise UserError(f"the environment variable {name} is {text!r}, not a number; unset it")
        found.append(int(text))
    if found[0] >= found[1]:
        raise UserError(f"RANK={found[0]} of WORLD_SIZE={found[1]}: ranks count from 0")
    return found[0], found[1]


def part() -> str | None:
    """A name for this process's share of a stage, or None where it has all of it."""
    number, world = rank()
    return f"rank{number}of{world}" if world > 1 else None


def lock_file(run: Stage, given: list[str]) -> Path:
    """One lock for each stage with its arguments and, among several processes, its rank."""
    names = [_name(run), *given, *filter(None, [part()])]
    return LOCKS / f"{'-'.join(names).replace('/', '-')}.lock"


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
