"""Builds the C++ runner against the installed ExecuTorch, once per user, version and machine.

The ExecuTorch package ships its C++ headers and libraries for programs such as this one. Compiling
takes about two seconds, so it happens when the runner is first needed; without a compiler the
callers fall back to ExecuTorch's Python binding.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import platformdirs

from pipeline.errors import UserError
from pipeline.files import atomic_path, atomic_write_text, sha256_json

SOURCE = Path(__file__).with_name("pte.cpp")
SWITCH = "FOVEA_NATIVE"
"""Set to 0 in the environment, the runner is neither built nor used."""
# What the package's own CMake configuration gives its consumers.
_DEFINES = ("C10_USING_CUSTOM_GENERATED_MACROS", "ET_EVENT_TRACER_ENABLED", "ET_USE_THREADPOOL")
_LIBRARIES = (
    "executorch",
    "executorch_backend_xnnpack",
    "executorch_kernels_optimized",
    "executorch_threadpool",
)
_TIMEOUT_SECONDS = 120


class UnavailableError(Exception):
    """The runner cannot be had here; the message says why, in one line."""


def library() -> Path:
    """The built runner, compiled now if it is not there yet.

    Raises `UnavailableError` where it cannot be built: no compiler, no ExecuTorch, or a failure,
    which is remembered so that it costs its time once.
    """
    if os.environ.get(SWITCH) == "0":
        raise UnavailableError(f"switched off by {SWITCH}=0")
    package = _package()
    command = [_compiler(), *_flags(package)]
    home = cache() / _key(package, command)
    built, failed = home / "libpte.so", home / "failed.txt"
    if built.is_file():
        return built
    if failed.is_file():
        said = failed.read_text(errors="replace").strip()
        raise UnavailableError(f"it did not compile ({said}); remove {home} to try again")
    try:
        _compile(command, built, failed)
    except UserError as error:  # an unwritable cache
        raise UnavailableError(str(error)) from error
    return built


def cache() -> Path:
    """Folder of built runners: FOVEA_CACHE, or the user's cache folder."""
    chosen = os.environ.get("FOVEA_CACHE")
    return Path(chosen or platformdirs.user_cache_dir("fovea")) / "native"


def _package() -> Path:
    found = importlib.util.find_spec("executorch")
    places = list(found.submodule_search_locations or ()) if found else []
    for place in places:
        if (Path(place) / "include").is_dir() and (Path(place) / "lib").is_dir():
            return Path(place).resolve()
    raise UnavailableError("no ExecuTorch package with C++ headers is installed")


def _compiler() -> str:
    named = os.environ.get("CXX")
    for name in filter(None, (named, "c++", "g++", "clang++")):
        found = shutil.which(name)
        if found:
            return found
    raise UnavailableError("no C++ compiler was found (c++, g++ or clang++)")


def _flags(package: Path) -> list[str]:
    include, libraries = package / "include", package / "lib"
    vendored = include / "executorch" / "runtime" / "core" / "portable_type" / "c10"
    # The backend registers itself when it is loaded; nothing refers to it by name.
    keep = [] if sys.platform == "darwin" else ["-Wl,--no-as-needed"]
    return [
        "-std=c++17", "-O1", "-fPIC", "-shared", "-w",
        *(f"-D{name}" for name in _DEFINES),
        "-isystem", str(include), "-isystem", str(vendored),
        str(SOURCE),
        f"-L{libraries}", f"-Wl,-rpath,{libraries}", *keep,
        *(f"-l{name}" for name in _LIBRARIES),
    ]  # fmt: skip


def _key(package: Path, command: list[str]) -> str:
    version = importlib.metadata.version("executorch")
    made_of = [SOURCE.read_text(), version, str(package), platform.machine(), command]
    return sha256_json(made_of)[:16]


def _compile(command: list[str], built: Path, failed: Path) -> None:
    with atomic_path(built) as temporary:
        try:
            done = subprocess.run(
                [*command, "-o", str(temporary)],
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_SECONDS,
                check=False,
            )
            problem = "" if done.returncode == 0 else _first_error(done.stderr)
        except subprocess.TimeoutExpired:
            problem = f"not done after {_TIMEOUT_SECONDS} s"
        problem = problem or _cannot_load(temporary)
        if problem:
            atomic_write_text(failed, problem + "\n")
            raise UnavailableError(f"it did not compile ({problem})")


def _first_error(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if "error" in line.lower()]
    return (lines or said.strip().splitlines() or ["the compiler failed silently"])[0][:300]


def _cannot_load(path: Path) -> str:
    try:
        ctypes.CDLL(str(path))
    except OSError as error:
        return str(error)
    return ""
