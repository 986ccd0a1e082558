"""Starts the process of one pair, and makes a crash or a pair without an end a row."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.files import read_json, write_json

ROOT = Path(__file__).resolve().parents[2]
WORKER = (sys.executable, "-m", "benchmarks.exports.worker")


def run(
    request: dict[str, Any], folder: Path, limit: float, worker: Sequence[str] = WORKER
) -> dict[str, Any]:
    """What `worker` finds of `request`, in `folder`; `error` says why where it did not end well.

    The process and all it starts end with this call, however that ends.
    """
    out, asked = folder / "found.json", folder / "request.json"
    write_json(asked, request | {"out": str(out), "folder": str(folder / "export")})
    search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    with (folder / "log").open("w") as log:
        # A session of its own: what a runtime starts is ended with it.
        child = subprocess.Popen(
            [*worker, str(asked)],
            env=os.environ | {"PYTHONPATH": search},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            status: int | None = child.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    found: dict[str, Any] = read_json(out) if out.is_file() else {"step": "starting"}
    step = found.pop("step")
    if step != "ended":
        found["error"] = f"{step}: {ending(status, limit)}{last_words(folder / 'log')}"
    return found


def ending(status: int | None, limit: float) -> str:
    """How a process ended, in words; `status` None: it was stopped after `limit` seconds."""
    if status is None:
        return f"stopped after {limit:g} s"
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"the process was ended by {signal.Signals(-status).name}"
    return f"the process ended with status {status}"


def last_words(log: Path) -> str:
    """The last line of a log, in brackets; nothing of an empty one."""
    lines = log.read_text(errors="replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return f" ({said[-1][:200]})" if said else ""
