"""Headless Chromium with one page, for as long as a job takes."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from mobile.targets.browser.server import Answers, Job, serving
from mobile.targets.registry import RefusedError
from pipeline.errors import UserError

FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
)
_LOOK_EVERY_SECONDS = 0.2


def ran(program: str, job: Job, seconds: float) -> tuple[dict[str, Any], Answers]:
    """What the page said at the end, and its outputs.

    Raises `RefusedError` where the runtime does not take the model, `UserError` where the browser
    ends or does not answer within `seconds`.
    """
    with serving(job) as (address, answers), _opened(program, address) as process:
        name, said = _last_word(program, process, answers, seconds)
    if name == "done":
        return said, answers
    words = " ".join(str(said.get("words")).split())[:400]
    if said.get("refused"):
        raise RefusedError(words)
    raise UserError(f"the page failed in the browser: {words}")


def _last_word(
    program: str, process: subprocess.Popen[bytes], answers: Answers, seconds: float
) -> tuple[str, dict[str, Any]]:
    limit = time.monotonic() + seconds
    while True:
        with contextlib.suppress(queue.Empty):
            return answers.last.get(timeout=_LOOK_EVERY_SECONDS)
        if process.poll() is not None:
            raise UserError(
                f"the browser ended by itself (status {process.returncode}); run it by hand to "
                f"see why: {program} --headless about:blank"
            )
        if time.monotonic() > limit:
            raise UserError(f"the browser did not answer within {seconds:.0f} s; try fewer runs")


@contextlib.contextmanager
def _opened(program: str, address: str) -> Iterator[subprocess.Popen[bytes]]:
    """Chromium on `address` with a profile of its own; nothing of either is left behind."""
    # Chromium refuses to sandbox itself for root; the page is ours and this machine's own.
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="fovea-", ignore_cleanup_errors=True) as profile:
        command = [program, *FLAGS, *root, f"--user-data-dir={profile}", address]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
