"""The programs that run on the phone: what they are built from, and where they lie.

A kit is a folder with `runner` and the shared libraries it needs, one for each kind of file. They
are built with Android's NDK, once (`fovea target setup android`); docs/android.md says how.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from pipeline.errors import UserError
from pipeline.files import replace_tree

HERE = Path(__file__).parent / "runner"
NATIVE = Path(__file__).parents[3] / "fovea" / "native"
NDK = "ANDROID_NDK_HOME"
API = 28
"""Android 9: the oldest that the runners are built for."""
RUNNER = "runner"
_TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class Kit:
    """What runs files of one ending."""

    suffix: str
    source: Path
    """What implements the three functions of the runtime."""
    variable: str
    """Environment variable that names where the runtime for Android lies."""
    holds: str
    """What has to be there."""

    def folder(self) -> Path:
        """Where it is built."""
        chosen = os.environ.get("FOVEA_CACHE") or platformdirs.user_cache_dir("fovea")
        return Path(chosen) / "android" / self.suffix.lstrip(".")

    def files(self) -> list[Path]:
        """All of it; empty where it is not built."""
        folder = self.folder()
        return sorted(folder.iterdir()) if (folder / RUNNER).is_file() else []


KITS = {
    kit.suffix: kit
    for kit in (
        Kit(
            ".tflite",
            HERE / "tflite.cpp",
            "FOVEA_TFLITE_ANDROID",
            "libtensorflowlite_jni.so for arm64-v8a",
        ),
        Kit(
            ".pte",
            NATIVE / "pte.cpp",
            "FOVEA_EXECUTORCH_ANDROID",
            "include/ and lib/ of an ExecuTorch built for Android",
        ),
    )
}


def build(kit: Kit) -> None:
    """Build a kit with the NDK. Raises `UserError` for what is missing or does not compile."""
    ndk, place = os.environ.get(NDK), os.environ.get(kit.variable)
    if not ndk:
        raise UserError(f"{NDK} is not set; install Android's NDK and name its folder there")
    compilers = sorted(Path(ndk).glob(f"toolchains/llvm/prebuilt/*/bin/aarch64-*{API}-clang++"))
    if not compilers:
        raise UserError(f"{ndk} ({NDK}) holds no compiler for arm64, API {API}")
    if not place or not Path(place).is_dir():
        raise UserError(f"{kit.variable} must name a folder with {kit.holds}; see docs/android.md")
    made(kit, str(compilers[0]), Path(place), ["-static-libstdc++", "-llog"])


def made(kit: Kit, compiler: str, place: Path, more: Sequence[str]) -> None:
    """Compile the runner with the runtime in `place` and put its libraries beside it."""
    libraries = [f for folder in (place, place / "lib") for f in sorted(folder.glob("*.so"))]
    archives = sorted((place / "lib").glob("*.a"))
    include = place / "include"
    vendored = include / "executorch" / "runtime" / "core" / "portable_type" / "c10"
    with tempfile.TemporaryDirectory() as folder:
        command = [
            compiler, "-std=c++17", "-O2", "-w", "-DC10_USING_CUSTOM_GENERATED_MACROS",
            "-DET_USE_THREADPOOL", "-isystem", str(include), "-isystem", str(vendored),
            str(HERE / "main.cpp"), str(kit.source), "-o", f"{folder}/{RUNNER}",
            "-Wl,-rpath,$ORIGIN", "-Wl,--no-as-needed",
            # Backends and kernels register themselves: nothing refers to them by name.
            "-Wl,--whole-archive", *map(str, archives), "-Wl,--no-whole-archive",
            *map(str, libraries), *more,
        ]  # fmt: skip
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
            words = (lines or done.stderr.strip().splitlines() or ["no word why"])[0]
            raise UserError(f"the runner for {kit.suffix} did not compile: {words[:300]}")
        for library in libraries:
            shutil.copy2(library, Path(folder) / library.name)
        kit.folder().parent.mkdir(parents=True, exist_ok=True)
        replace_tree(Path(folder), kit.folder())
        Path(folder).mkdir(exist_ok=True)  # for its own clean-up
