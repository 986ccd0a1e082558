"""The target itself: outputs for comparison, and milliseconds of a real phone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mobile.backend import Array, backend_for
from mobile.measured import Measured, Place
from mobile.targets.android import adb as adbs
from mobile.targets.android import kits, phone
from mobile.targets.android.adb import Adb
from mobile.targets.android.session import cooled, session
from mobile.targets.registry import register
from mobile.timing import Plan, Timing
from pipeline.errors import UserError
from pipeline.files import sha256_file, sha256_json

_ONE_RUN = Plan(warmups=0, repeats=1, iterations=1, least_iterations=1)
_KIB = 1024


class Android:
    """A phone on adb."""

    name = "android"
    summary = "a phone on adb"
    suffixes: tuple[str, ...] = tuple(kits.KITS)

    def refusal(self) -> str | None:
        """Whether adb and a runner are there; a phone is looked for when it is needed."""
        if adbs.program() is None:
            return "adb is not on PATH; install Android's platform tools (docs/android.md)"
        if not any(kit.files() for kit in kits.KITS.values()):
            return "no runner is built; build them: fovea target setup android (docs/android.md)"
        return None

    def setup(self) -> None:
        """Build the runner of every runtime whose place is given; `UserError` for none."""
        problems = []
        for kit in kits.KITS.values():
            try:
                kits.build(kit)
            except UserError as error:
                problems.append(str(error))
        if len(problems) == len(kits.KITS):
            raise UserError("; ".join(dict.fromkeys(problems)))

    def outputs(self, path: Path, images: Sequence[Array]) -> list[Array]:
        """One process on the phone for each image."""
        prepare = backend_for(path).load(path, 1).prepare
        found = []
        with session(adbs.connected(), _kit(path), path) as opened:
            for image in images:
                told = opened.run(prepare(image), 1, _ONE_RUN)
                found.append(opened.output(told["shape"]))
        return found

    def time(self, path: Path, image: Array, threads: int, plan: Plan) -> tuple[Measured, Place]:
        """Each repeat is a process of its own, after waiting until the phone is cool."""
        prepared = backend_for(path).load(path, 1).prepare(image)
        adb, kit = adbs.connected(), _kit(path)
        place = _place(adb, path.suffix, kit)
        told, readings, gave_up = [], [], False
        with session(adb, kit, path) as opened:
            for _ in range(plan.repeats):
                reading, timed_out = cooled(adb, plan)
                gave_up |= timed_out
                readings += [] if reading is None else [reading]
                told.append(opened.run(prepared, threads, plan))
        samples = [each["samples"] for each in told]
        timing = Timing(
            told[0]["load_ms"],
            told[0]["first_ms"],
            samples,
            any(len(times) < plan.iterations for times in samples),
            max(readings, default=None),
            gave_up if readings else None,
        )
        peak, baseline = told[0]["peak_kb"], told[0]["baseline_kb"]
        memory = (peak * _KIB, baseline * _KIB) if min(peak, baseline) > 0 else (None, None)
        return Measured(timing, None, *memory), place


def _kit(path: Path) -> list[Path]:
    kit = kits.KITS.get(path.suffix)
    files = kit.files() if kit is not None else []
    if not files:
        raise UserError(
            f"no runner for {path.suffix} is built; build it: fovea target setup android "
            "(docs/android.md)"
        )
    return files


def _place(adb: Adb, suffix: str, kit: Sequence[Path]) -> Place:
    """The phone, and the very runtime that ran: its version is the hash of what was pushed."""
    found = phone.look(adb)
    version = sha256_json([sha256_file(path) for path in kit])[:12]
    fingerprint = sha256_json([found.model, found.build, found.clocks, version])[:16]
    return Place(
        device=found.model,
        os=found.os,
        clocks=found.clocks,
        runtime="executorch" if suffix == ".pte" else "tensorflow-lite",
        runtime_version=version,
        host=fingerprint,
        source="emulator" if found.emulator else "device",
    )


register(Android())
