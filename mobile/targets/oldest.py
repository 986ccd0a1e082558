"""The oldest runtime that a `.tflite` must still load in: tflite-runtime 2.14.0, of October 2023.

Old Android builds ship it. It wants numpy below 2 and Python up to 3.11, so it lives in an
environment of its own (`fovea target setup oldest`) and is asked through a child process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import platformdirs

from mobile.backend import Array, backend_for
from mobile.targets.registry import RefusedError, register
from pipeline.errors import UserError

REQUIREMENTS = ("tflite-runtime==2.14.0", "numpy>=1.23,<2")
NEWEST_PYTHON = (3, 11)
CHILD = Path(__file__).with_name("litert_child.py")
REFUSED_STATUS = 3
_TIMEOUT_SECONDS = 600


class Oldest:
    """tflite-runtime 2.14.0 in an environment of its own."""

    name = "oldest"
    summary = "tflite-runtime 2.14.0, what old Android builds ship"
    suffixes: tuple[str, ...] = (".tflite",)

    def refusal(self) -> str | None:
        """Whether its environment is there."""
        if self._python().is_file():
            return None
        return "its environment is not there; make it: fovea target setup oldest"

    def setup(self) -> None:
        """Make the environment; whole or not at all."""
        home = self._home()
        interpreter = _old_python()
        home.parent.mkdir(parents=True, exist_ok=True)
        try:
            _run([interpreter, "-m", "venv", "--clear", str(home)])
            _run([str(self._python()), "-m", "pip", "install", "--quiet", *REQUIREMENTS])
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise

    def outputs(self, path: Path, images: Sequence[Array]) -> list[Array]:
        """In one child process for all images."""
        reason = self.refusal()
        if reason is not None:
            raise UserError(f"{self.name}: {reason}")
        prepare = backend_for(path).load(path, 1).prepare
        return self.ask(path, [prepare(image) for image in images])

    def ask(self, path: Path, prepared: Sequence[Array]) -> list[Array]:
        """`outputs` of images as the file takes them."""
        with tempfile.TemporaryDirectory() as folder:
            given, found = Path(folder) / "in.npy", Path(folder) / "out.npy"
            np.save(given, np.stack(prepared), allow_pickle=False)
            command = [str(self._python()), str(CHILD), str(path), str(given), str(found)]
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
            )
            if done.returncode == REFUSED_STATUS:
                raise RefusedError(done.stdout.strip())
            if done.returncode != 0:
                words = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
                raise RefusedError(f"the runtime ended: {words}")
            return list(np.load(found, allow_pickle=False))

    def _home(self) -> Path:
        chosen = os.environ.get("FOVEA_CACHE") or platformdirs.user_cache_dir("fovea")
        return Path(chosen) / "tflite-runtime-2.14.0"

    def _python(self) -> Path:
        return self._home() / "bin" / "python"


def _old_python() -> str:
    """A Python that the runtime has wheels for."""
    if sys.version_info[:2] <= NEWEST_PYTHON:
        return sys.executable
    for minor in (11, 10, 9):
        found = shutil.which(f"python3.{minor}")
        if found is not None:
            return found
    raise UserError("tflite-runtime 2.14.0 needs Python 3.9 to 3.11, and none is here; install one")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = (done.stderr.strip().splitlines() or ["no word why"])[-1]
        raise UserError(f"setting up the oldest runtime failed: {words}")


register(Oldest())
