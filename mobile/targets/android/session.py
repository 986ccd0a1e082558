"""One file on the phone: a folder of its own there, whole copies, runs, and nothing left behind."""

from __future__ import annotations

import contextlib
import json
import secrets
import shlex
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mobile.backend import Array
from mobile.targets.android.adb import Adb
from mobile.targets.android.kits import RUNNER
from mobile.targets.android.phone import PLACE, require_room, temperature_c
from mobile.targets.registry import RefusedError
from mobile.timing import Plan
from pipeline.errors import UserError
from pipeline.files import sha256_file

REFUSED, INPUT, FAILED = 3, 4, 5
"""Statuses of the runner (runner/main.cpp)."""
_START_SECONDS = 120.0
_LOOK_EVERY_SECONDS = 2.0
ROOM = 1.2
"""How much more than the files themselves has to be free."""


@dataclass(frozen=True)
class Session:
    """A folder on a phone that holds runner, libraries and model."""

    adb: Adb
    folder: str
    model: str

    def run(self, image: Array, threads: int, plan: Plan) -> dict[str, Any]:
        """One process: load, first run, warm-ups, one repeat. What the runner told.

        `image` is as the file takes it, float32. Raises `RefusedError` where the runtime does not
        take the model, `UserError` where the run fails or the phone goes.
        """
        with tempfile.TemporaryDirectory() as here:
            path = Path(here) / "input.raw"
            path.write_bytes(np.ascontiguousarray(image, np.float32).tobytes())
            put(self.adb, path, self.folder)
        numbers = (threads, plan.warmups, plan.iterations, plan.least_iterations)
        arguments = [self.model, "input.raw", "output.raw", *map(str, numbers)]
        line = " ".join([f"./{RUNNER}", *map(shlex.quote, arguments), f"{plan.repeat_seconds:g}"])
        said = self.adb.shell(
            f"cd {self.folder} && LD_LIBRARY_PATH=. {line}",
            _START_SECONDS + 3 * plan.repeat_seconds,
        )
        words = ((said.err or said.out).strip().splitlines() or [""])[-1][:300]
        if said.status == REFUSED:
            raise RefusedError(words)
        if said.status != 0:
            raise UserError(f"the runner ended with status {said.status} on the phone: {words}")
        try:
            told: dict[str, Any] = json.loads(said.out.strip().splitlines()[-1])
        except (ValueError, IndexError) as error:
            raise UserError(
                f"the runner's answer is not understood: {said.out[-200:]!r}"
            ) from error
        return told

    def output(self, shape: Sequence[int]) -> Array:
        """What the last run gave."""
        with tempfile.TemporaryDirectory() as here:
            path = Path(here) / "output.raw"
            self.adb.pull(f"{self.folder}/output.raw", path)
            found = np.fromfile(path, np.float32)
        if found.size != np.prod(shape):
            raise UserError(f"the phone's output holds {found.size} numbers, not {tuple(shape)}")
        return found.reshape(shape)


@contextlib.contextmanager
def session(adb: Adb, kit: Sequence[Path], model: Path) -> Iterator[Session]:
    """Everything on the phone inside the block, nothing of it afterwards.

    Where the phone has gone, its folder stays there, and the next message says so.
    """
    require_room(adb, int(ROOM * sum(path.stat().st_size for path in (*kit, model))))
    folder = f"{PLACE}/fovea-{secrets.token_hex(4)}"
    adb.ask(f"mkdir {folder}")
    try:
        for path in (*kit, model):
            put(adb, path, folder)
        adb.ask(f"chmod 755 {folder}/{RUNNER}")
        yield Session(adb, folder, model.name)
    except BaseException as error:
        if not _removed(adb, folder) and isinstance(error, UserError):
            raise UserError(f"{error}; {folder} may still be on it") from error
        raise
    else:
        _removed(adb, folder)


def put(adb: Adb, path: Path, folder: str) -> None:
    """Copy a file and compare hashes: a copy can end early and look well."""
    target = f"{folder}/{path.name}"
    adb.push(path, target)
    told = adb.ask(f"sha256sum {target}").split()
    if not told or told[0] != sha256_file(path):
        raise UserError(f"{path.name} arrived damaged on the phone; try another cable or port")


def cooled(adb: Adb, plan: Plan) -> tuple[float | None, bool]:
    """Wait until the phone is cool enough; the last reading, and whether waiting gave up."""
    limit = time.monotonic() + plan.cool_seconds
    while True:
        reading = temperature_c(adb)
        if reading is None or reading <= plan.cool_below_c:
            return reading, False
        if time.monotonic() >= limit:
            return reading, True
        time.sleep(_LOOK_EVERY_SECONDS)


def _removed(adb: Adb, folder: str) -> bool:
    with contextlib.suppress(UserError):
        return adb.shell(f"rm -rf {folder}", 20.0).status == 0
    return False
