"""The target itself: outputs for comparison, and milliseconds of WebAssembly."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from mobile.backend import Array, Runner, backend_for
from mobile.host import this_host
from mobile.measured import Measured, Place
from mobile.targets.browser import install
from mobile.targets.browser.chromium import ran
from mobile.targets.browser.server import Job
from mobile.targets.registry import register
from mobile.timing import Plan, Timing
from pipeline.errors import UserError
from pipeline.files import sha256_json

START_SECONDS = 90.0
SECONDS_AN_IMAGE = 20.0


class Browser:
    """LiteRT.js on WebAssembly in headless Chromium."""

    name = "browser"
    summary = f"LiteRT.js {install.VERSION} on WebAssembly in headless Chromium"
    suffixes: tuple[str, ...] = (".tflite",)

    def refusal(self) -> str | None:
        """Whether browser and packages are there."""
        if install.chromium() is None:
            return "no Chromium on PATH; install one, or name it in FOVEA_CHROMIUM"
        if not install.installed():
            return "LiteRT.js is not there; install it: fovea target setup browser"
        return None

    def setup(self) -> None:
        """Install LiteRT.js; Chromium is the user's own."""
        install.install()

    def outputs(self, path: Path, images: Sequence[Array]) -> list[Array]:
        """All images on one page, one thread."""
        inputs = [_runner(path).prepare(image) for image in images]
        job = Job(install.packages(), path.read_bytes(), inputs, threads=1)
        said, answers = ran(self._program(), job, START_SECONDS + SECONDS_AN_IMAGE * len(inputs))
        return [answers.outputs[i].reshape(said["shape"]) for i in range(len(inputs))]

    def time(self, path: Path, image: Array, threads: int, plan: Plan) -> tuple[Measured, Place]:
        """Runs of one page; with several threads by the threaded build of the runtime."""
        inputs = [_runner(path).prepare(image)]
        job = Job(install.packages(), path.read_bytes(), inputs, threads, asdict(plan))
        limit = START_SECONDS + plan.repeats * max(plan.repeat_seconds, 10.0) + 60
        said, _ = ran(self._program(), job, limit)
        samples = said["samples"]
        timing = Timing(
            said["loadMs"],
            said["firstMs"],
            samples,
            any(len(times) < plan.iterations for times in samples),
            None,
            None,
        )
        return Measured(timing, affinity=None), self._place()

    def _program(self) -> str:
        reason = self.refusal()
        program = install.chromium()
        if reason is not None or program is None:
            raise UserError(f"{self.name}: {reason}")
        return program

    def _place(self) -> Place:
        host, version = this_host(), _version(self._program())
        fingerprint = sha256_json([host.fingerprint(), version, install.VERSION])[:16]
        system = f"{version} on {host.os}"
        return Place(
            host.cpu, system, host.clocks, "litertjs", install.VERSION, fingerprint, "browser"
        )


def _runner(path: Path) -> Runner:
    return backend_for(path).load(path, 1)


def _version(program: str) -> str:
    done = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    return " ".join(done.stdout.split()[:2]) or "Chromium"


register(Browser())
