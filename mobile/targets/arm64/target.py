"""The target itself. It is never timed: an emulator's milliseconds say nothing."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mobile.backend import Array, backend_for
from mobile.targets.arm64 import root
from mobile.targets.oldest import CHILD, REFUSED_STATUS
from mobile.targets.registry import RefusedError, register
from pipeline.errors import UserError

_TIMEOUT_SECONDS = 1800


class Arm64:
    """Both runtimes' own arm64 builds under qemu's user-mode emulation."""

    name = "arm64"
    summary = "LiteRT and ExecuTorch for 64-bit ARM, emulated by qemu"
    suffixes: tuple[str, ...] = (".tflite", ".pte")

    def refusal(self) -> str | None:
        """Whether emulator and folder are there."""
        if root.emulator() is None:
            return "qemu is not there; apt install qemu-user-static"
        if not root.python().is_file():
            return "its libraries are not there; fetch them: fovea target setup arm64"
        return None

    def setup(self) -> None:
        """Fetch libraries and wheels, cross-compile the runner."""
        root.set_up()

    def outputs(self, path: Path, images: Sequence[Array]) -> list[Array]:
        """One emulated process for all images of a `.tflite`, one each for a `.pte`."""
        reason = self.refusal()
        if reason is not None:
            raise UserError(f"{self.name}: {reason}")
        prepare = backend_for(path).load(path, 1).prepare
        run = _tflite if path.suffix == ".tflite" else _pte
        with tempfile.TemporaryDirectory() as folder:
            return run(path.resolve(), [prepare(image) for image in images], Path(folder))


def _tflite(path: Path, images: list[Array], folder: Path) -> list[Array]:
    given, found = folder / "in.npy", folder / "out.npy"
    np.save(given, np.stack(images), allow_pickle=False)
    _emulated([str(root.python()), str(CHILD), str(path), str(given), str(found)])
    return list(np.load(found, allow_pickle=False))


def _pte(path: Path, images: list[Array], folder: Path) -> list[Array]:
    given, found = folder / "in.raw", folder / "out.raw"
    outputs = []
    for image in images:
        np.ascontiguousarray(image, np.float32).tofile(given)
        once = ("1", "0", "1", "1", "1")  # threads, warm-ups, runs, least runs, seconds
        runner = str(root.home() / "runner" / "runner")
        said = _emulated([runner, str(path), str(given), str(found), *once])
        shape = json.loads(said.strip().splitlines()[-1])["shape"]
        outputs.append(np.fromfile(found, np.float32).reshape(shape))
    return outputs


def _emulated(program: list[str]) -> str:
    environment = os.environ | {"PYTHONPATH": str(root.home() / "site"), "PYTHONNOUSERSITE": "1"}
    done = subprocess.run(
        root.command(*program),
        env=environment,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    words = ((done.stderr or done.stdout).strip().splitlines() or [f"status {done.returncode}"])[-1]
    if done.returncode == REFUSED_STATUS:
        raise RefusedError((done.stdout.strip() or words)[:300])
    if done.returncode != 0:
        raise RefusedError(f"the runtime ended: {words[:300]}")
    return done.stdout


register(Arm64())
