"""Which machine a latency row comes from, without naming it.

The fingerprint changes with anything that changes milliseconds (processor, cores, operating
system, runtime versions) and holds no host or user name.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.files import sha256_json

# coremltools is a runtime where Core ML is: elsewhere its version changes no millisecond.
RUNTIMES = ("ai-edge-litert", "executorch", "torch") + ("coremltools",) * (
    platform.system() == "Darwin"
)

_CPUFREQ = Path("/sys/devices/system/cpu/cpu0/cpufreq")
_CPUINFO = Path("/proc/cpuinfo")
_THERMAL = Path("/sys/class/thermal")


@dataclass(frozen=True)
class Host:
    """What decides how fast a model runs here."""

    cpu: str
    """Processor model as the system names it."""
    architecture: str
    cores: int
    """Logical processors."""
    os: str
    """Name and release."""
    clocks: str
    """Frequency governor and range, or `unreadable`."""
    versions: dict[str, str]
    """Installed runtimes and Python."""

    def fingerprint(self) -> str:
        """First 16 hexadecimal digits of a hash over every field."""
        return sha256_json(asdict(self))[:16]


def this_host() -> Host:
    """The machine this process runs on."""
    return Host(
        cpu=_cpu_model(),
        architecture=platform.machine(),
        cores=os.cpu_count() or 1,
        os=f"{platform.system()} {platform.release()}",
        clocks=_clocks(),
        versions=_versions(),
    )


def temperature_c() -> float | None:
    """Hottest readable thermal zone in degrees Celsius, or None."""
    readings = []
    for zone in _THERMAL.glob("thermal_zone*/temp"):
        text = _read(zone)
        if text.lstrip("-").isdigit():
            readings.append(int(text) / 1000)
    return max(readings, default=None)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in RUNTIMES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _cpu_model() -> str:
    for line in _read(_CPUINFO).splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model", "Hardware"):
            return value.strip()
    return platform.processor() or platform.machine()


def _clocks() -> str:
    parts = [_read(_CPUFREQ / f"scaling_{name}") for name in ("governor", "min_freq", "max_freq")]
    return " ".join(parts) if all(parts) else "unreadable"


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
