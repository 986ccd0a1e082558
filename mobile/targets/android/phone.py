"""What kind of phone it is, how warm, how much room it has."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mobile.targets.android.adb import Adb
from pipeline.errors import UserError

ABI = "arm64-v8a"
PLACE = "/data/local/tmp"
"""The only folder of a phone in which a shell may both write and execute."""
_CPUFREQ = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_"
_SKIN = 3
"""Android's number of the sensor under the surface, which throttling goes by."""
_BATTERY = 2


@dataclass(frozen=True)
class Phone:
    """What decides how fast a model runs, without the phone's own number."""

    model: str
    """Maker, model and chip."""
    os: str
    build: str
    """The build's fingerprint."""
    clocks: str
    emulator: bool


def look(adb: Adb) -> Phone:
    """Ask the phone. Raises `UserError` where it cannot run 64-bit ARM programs."""
    told = dict(re.findall(r"^\[(.+?)\]: \[(.*)\]$", adb.ask("getprop"), re.MULTILINE))
    abis = told.get("ro.product.cpu.abilist") or told.get("ro.product.cpu.abi", "")
    if ABI not in abis.split(","):
        raise UserError(f"the phone runs {abis or 'unknown programs'}, the runner is {ABI}")
    maker, model = told.get("ro.product.manufacturer", ""), told.get("ro.product.model", "phone")
    chip = told.get("ro.soc.model") or told.get("ro.board.platform") or "unknown chip"
    version, level = told.get("ro.build.version.release"), told.get("ro.build.version.sdk")
    return Phone(
        model=" ".join(filter(None, (maker, model, f"({chip})"))),
        os=f"Android {version or '?'} (API {level or '?'})",
        build=told.get("ro.build.fingerprint", "unknown"),
        clocks=_clocks(adb),
        emulator="1" in (told.get("ro.kernel.qemu"), told.get("ro.boot.qemu")),
    )


def temperature_c(adb: Adb) -> float | None:
    """Degrees Celsius under the surface, or of the battery; None where neither is told."""
    said = adb.shell("dumpsys thermalservice")
    found = re.findall(r"Temperature\{mValue=([-\d.]+), mType=(\d+)", said.out)
    by_kind = {int(kind): float(value) for value, kind in found}
    if _SKIN in by_kind or _BATTERY in by_kind:
        return by_kind.get(_SKIN, by_kind.get(_BATTERY))
    battery = re.search(r"^\s*temperature: (-?\d+)", adb.shell("dumpsys battery").out, re.MULTILINE)
    return int(battery.group(1)) / 10 if battery else None


def require_room(adb: Adb, needed: int) -> None:
    """Raise `UserError` unless `needed` bytes are free, where the phone tells."""
    last = (adb.ask(f"df -k {PLACE}").strip().splitlines() or [""])[-1].split()
    free = int(last[3]) * 1024 if len(last) > 3 and last[3].isdecimal() else None
    if free is not None and free < needed:
        raise UserError(
            f"the phone has {free / 2**20:.0f} MiB free in {PLACE}, {needed / 2**20:.0f} MiB are "
            "needed; free some"
        )


def _clocks(adb: Adb) -> str:
    names = ("governor", "min_freq", "max_freq")
    read = [adb.shell(f"cat {_CPUFREQ}{name}") for name in names]
    if any(said.status != 0 for said in read):
        return "unreadable"
    return " ".join(said.out.strip() for said in read)
