"""A folder with as much of an ARM Linux as the runtimes' own arm64 wheels need to run under qemu.

Debian packages for arm64 (libraries and a Python), unpacked and never installed; LiteRT's wheel
beside them; the runner of `mobile/targets/android/runner`, cross-compiled against ExecuTorch's.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import platformdirs

from mobile.targets.android.kits import HERE as RUNNER_SOURCES
from mobile.targets.android.kits import NATIVE
from pipeline.errors import UserError
from pipeline.files import replace_tree

COMPILER = "aarch64-linux-gnu-g++"
EMULATORS = ("qemu-aarch64-static", "qemu-aarch64")
LIBRARIES = (
    "libc6",
    "libgcc-s1",
    "libstdc++6",
    "zlib1g",
    "libexpat1",
    "libffi8",
    "liblzma5",
    "libbz2-1.0",
)
EXECUTORCH = ("", "_backend_xnnpack", "_kernels_optimized", "_threadpool")
_GLIBC = range(17, 37)
"""Minor versions of glibc 2 whose wheels are taken."""
CORE = "cortex-a76"
"""The core that is emulated: of phones since 2019, with int8 dot products. qemu 7.2's default, a
core with every extension, computes int8 kernels wrongly (correlation 0.03 with this core's)."""
# qemu shows programs the host's own processor here, and libraries that read it crash on an x86 one.
_CPUINFO = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 fphp asimdhp cpuid asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd0b
CPU revision\t: 1

"""


def home() -> Path:
    """The folder; `root/` below it is what programs see, `site/` Python packages."""
    chosen = os.environ.get("FOVEA_CACHE") or platformdirs.user_cache_dir("fovea")
    versions = "-".join(importlib.metadata.version(p) for p in ("ai-edge-litert", "executorch"))
    return Path(chosen) / f"arm64-{versions}"


def emulator() -> str | None:
    """Path of qemu's user-mode emulator."""
    return next(filter(None, map(shutil.which, EMULATORS)), None)


def command(*program: str) -> list[str]:
    """`program` of the folder, emulated; `UserError` without an emulator."""
    found = emulator()
    if found is None:
        raise UserError("qemu's user-mode emulator is not on PATH; apt install qemu-user-static")
    return [found, "-cpu", CORE, "-L", str(home() / "root"), *program]


def python() -> Path:
    """The Python of the folder; a path that does not exist where it is not set up."""
    return next((home() / "root/usr/bin").glob("python3.*[0-9]"), home() / "root/usr/bin/python3")


def set_up() -> None:
    """Make the folder; whole or not at all. `UserError` for what is missing on this machine."""
    if emulator() is None:
        command()
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise UserError("arm64 libraries come from Debian packages; this system has no apt-get")
    if "arm64" not in _run(["dpkg", "--print-foreign-architectures"]).split():
        raise UserError(
            "apt does not know arm64 packages yet; as root: "
            "dpkg --add-architecture arm64 && apt-get update"
        )
    if shutil.which(COMPILER) is None:
        raise UserError(f"{COMPILER} is not on PATH; apt install g++-aarch64-linux-gnu")
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        version = _python_version()
        _unpack(base, version)
        _packages(base, version)
        _runner(base)
        (base / "root/proc").mkdir()
        (base / "root/proc/cpuinfo").write_text(_CPUINFO)
        replace_tree(base, home())
        base.mkdir()  # for its own clean-up


def _python_version() -> str:
    told = _run(["apt-cache", "depends", "python3:arm64"])
    match = re.search(r"Depends: python(3\.\d+):arm64", told)
    if match is None:
        raise UserError("apt knows no Python for arm64; as root: apt-get update")
    return match.group(1)


def _unpack(base: Path, version: str) -> None:
    """Debian packages into `root/`."""
    own = [f"{prefix}{version}{end}" for prefix, end in (
        ("python", "-minimal"), ("libpython", "-minimal"), ("libpython", "-stdlib"),
    )]  # fmt: skip
    (base / "debs").mkdir()
    names = [f"{name}:arm64" for name in (*LIBRARIES, *own)]
    _run(["apt-get", "download", "-qq", *names], base / "debs")
    for package in sorted((base / "debs").glob("*.deb")):
        _run(["dpkg", "-x", str(package), str(base / "root")])
    shutil.rmtree(base / "debs")


def _packages(base: Path, version: str) -> None:
    """LiteRT for that Python into `site/`, ExecuTorch's wheel into `executorch/`."""
    pip = [sys.executable, "-m", "pip"]
    platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in _GLIBC]
    which = [*platforms, "--platform=manylinux2014_aarch64", "--only-binary=:all:", "--quiet",
             "--implementation=cp", f"--python-version={version}"]  # fmt: skip
    litert, executorch = (
        f"{name}=={importlib.metadata.version(name)}" for name in ("ai-edge-litert", "executorch")
    )
    _run([*pip, "install", f"--target={base / 'site'}", *which, litert, "numpy"])
    _run([*pip, "download", f"--dest={base / 'wheels'}", "--no-deps", *which, executorch])
    with zipfile.ZipFile(next((base / "wheels").glob("*.whl"))) as wheel:
        wheel.extractall(base / "executorch")
    shutil.rmtree(base / "wheels")


def _runner(base: Path) -> None:
    """The runner for `.pte`, with its libraries beside it; headers are not kept."""
    package = base / "executorch" / "executorch"
    include, place = package / "include", base / "runner"
    place.mkdir()
    libraries = [package / "lib" / f"libexecutorch{name}.so" for name in EXECUTORCH]
    vendored = include / "executorch" / "runtime" / "core" / "portable_type" / "c10"
    _run([
        COMPILER, "-std=c++17", "-O2", "-w", "-DC10_USING_CUSTOM_GENERATED_MACROS",
        "-DET_USE_THREADPOOL", "-isystem", str(include), "-isystem", str(vendored),
        str(RUNNER_SOURCES / "main.cpp"), str(NATIVE / "pte.cpp"), "-o", str(place / "runner"),
        "-Wl,-rpath,$ORIGIN", "-Wl,--no-as-needed", *map(str, libraries),
    ])  # fmt: skip
    for library in libraries:
        shutil.copy2(library, place / library.name)
    shutil.rmtree(base / "executorch")


def _run(command: list[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no word why"]
        raise UserError(f"{Path(command[0]).name} failed while setting up arm64: {lines[-1][:300]}")
    return done.stdout
