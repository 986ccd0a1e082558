"""Converters talk a lot, partly from C++: keep it for the case that they fail."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import UserError
from pipeline.files import atomic_write_text

_OPERATOR = re.compile(
    r"\b(?:torch\.ops\.)?((?:aten|quantized_decomposed|torchvision|prims|dim_order_ops|stablehlo|tfl)"
    r"[.:]{1,2}[A-Za-z_]\w*(?:\.\w+)?)"
)


@contextlib.contextmanager
def quiet(log: Path | None = None) -> Iterator[None]:
    """Send stdout and stderr of this process, C++ included, to a file while the block runs.

    The file is dropped when the block ends well, and becomes `log` when it raises.
    """
    with tempfile.TemporaryFile("w+") as sink:
        try:
            with _descriptors_to(sink.fileno()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
                    yield
        except BaseException:
            if log is not None:
                sink.flush()
                sink.seek(0)
                atomic_write_text(log, sink.read())
            raise
    if log is not None:
        log.unlink(missing_ok=True)


@contextlib.contextmanager
def converting(what: str, log: Path | None, advice: str = "") -> Iterator[None]:
    """`quiet`, and any failure becomes a `UserError` that names the operator where it can.

    `advice` says what to do about a failure, where that is the same for all.
    """
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with quiet(log):
            yield
    except UserError:
        raise
    except ModuleNotFoundError as error:
        raise UserError(
            f"{what} needs the package {error.name}, which is not installed; "
            "install the project's locked environment"
        ) from error
    except Exception as error:  # converters raise anything; the cause is chained
        operators = operators_in(error)
        named = f" at operator {', '.join(operators)}" if operators else ""
        where = f"; full log: {log}" if log else f"; {advice}" if advice else ""
        raise UserError(f"{what} failed{named}: {_first_line(error)}{where}") from error
    finally:
        logging.disable(level)


def operators_in(error: BaseException) -> list[str]:
    """Operators named anywhere in the messages of `error` and its causes, in order, once each."""
    found: dict[str, None] = {}
    seen: BaseException | None = error
    while seen is not None:
        for match in _OPERATOR.finditer(str(seen)):
            found.setdefault(match.group(1))
        seen = seen.__cause__ or seen.__context__
    return list(found)[:5]


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:200] if lines else ''}"


@contextlib.contextmanager
def _descriptors_to(target: int) -> Iterator[None]:
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [(number, os.dup(number)) for number in (1, 2)]
    try:
        for number, _ in saved:
            os.dup2(target, number)
        yield
    finally:
        for number, copy in saved:
            os.dup2(copy, number)
            os.close(copy)
