"""A stand-in for `adb` with one or more phones behind it, as far as Fovea talks to them.

Runs as `adb` from PATH. FOVEA_STANDIN names a folder: `state.json` says what the phones are like
and what goes wrong, `fs/` is their /data/local/tmp, `log` gets every command. Files are really
stored and programs really run, on this machine. Words and statuses are those of adb 35.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

HOME = Path(os.environ["FOVEA_STANDIN"])
REMOTE = "/data/local/tmp"
SOUND: dict[str, Any] = {
    "version": "1.0.41",
    "phones": {"R58M123": "device"},
    "properties": {
        "ro.product.manufacturer": "Acme",
        "ro.product.model": "One",
        "ro.product.cpu.abilist": "arm64-v8a,armeabi-v7a",
        "ro.soc.model": "AC8000",
        "ro.build.version.release": "15",
        "ro.build.version.sdk": "35",
        "ro.build.fingerprint": "acme/one/one:15/AAAA/1:user/release-keys",
    },
    "free_kb": 4_000_000,
    "temperatures": [31.0],
    "clocks": "schedutil",
}


def end(status: int, out: str = "", err: str = "") -> NoReturn:
    sys.stdout.write(out)
    sys.stderr.write(err)
    sys.exit(status)


def main() -> NoReturn:
    state = SOUND | json.loads((HOME / "state.json").read_text())
    with (HOME / "log").open("a") as log:
        log.write(json.dumps(sys.argv[1:]) + "\n")
    seen = len((HOME / "log").read_text().splitlines())
    if state.get("hangs"):
        time.sleep(600)
    arguments = sys.argv[1:]
    if arguments == ["version"]:
        end(0, f"Android Debug Bridge version {state['version']}\nVersion 35.0.2-12147458\n")
    if seen > state.get("unplugged_after", 1 << 30):
        state["phones"] = {}
    if arguments == ["devices"]:
        rows = "".join(f"{serial}\t{kind}\n" for serial, kind in state["phones"].items())
        end(0, f"List of devices attached\n{rows}\n")
    assert arguments[0] == "-s", arguments
    serial, kind = arguments[1], state["phones"].get(arguments[1])
    if kind is None:
        end(1, err=f"adb: device '{serial}' not found\n" if arguments[2] != "shell" else
            f"error: device '{serial}' not found\n")  # fmt: skip
    if kind == "unauthorized":
        end(1, err="error: device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set\n")
    if kind == "offline":
        end(1, err="error: device offline\n")
    {"shell": shell, "push": push, "pull": pull}[arguments[2]](state, *arguments[3:])
    raise AssertionError("every command ends by itself")


def local(path: str) -> Path:
    assert path.startswith(REMOTE), path
    return HOME / "fs" / path.removeprefix(REMOTE).strip("/")


def push(state: dict[str, Any], source: str, target: str) -> NoReturn:
    size, path = Path(source).stat().st_size, local(target)
    if state.get("full"):
        end(1, err=f"adb: error: failed to copy '{source}' to '{target}': remote write failed: "
            "No space left on device\n")  # fmt: skip
    shutil.copyfile(source, path)
    if state.get("cut_short") == path.name:
        os.truncate(path, size // 2)
    end(0, f"{source}: 1 file pushed, 0 skipped. 31.4 MB/s ({size} bytes in 0.044s)\n")


def pull(_state: dict[str, Any], source: str, target: str) -> NoReturn:
    path = local(source)
    if not path.is_file():
        end(1, err=f"adb: error: failed to stat remote object '{source}': No such file\n")
    shutil.copyfile(path, target)
    end(0, f"{source}: 1 file pulled, 0 skipped. 30.1 MB/s\n")


def shell(state: dict[str, Any], command: str) -> NoReturn:
    if command == "getprop":
        end(0, "".join(f"[{k}]: [{v}]\n" for k, v in state["properties"].items()))
    if command.startswith("df "):
        end(0, "Filesystem     1K-blocks    Used Available Use% Mounted on\n"
            f"/dev/block/dm-9 112000000 90000000 {state['free_kb']} 81% /data\n")  # fmt: skip
    if command == "dumpsys thermalservice":
        end(0, thermal(state))
    if command == "dumpsys battery":
        end(0, "Current Battery Service state:\n  level: 80\n  temperature: 312\n")
    if command.startswith("cat /sys/devices/system/cpu"):
        if state["clocks"] is None:
            end(1, err="cat: Permission denied\n")
        end(0, f"{state['clocks']}\n")
    if "./runner" in command and "runner" in state:
        told = state["runner"]
        end(told["status"], told.get("out", ""), told.get("err", ""))
    done = subprocess.run(
        ["sh", "-c", command.replace(REMOTE, str(HOME / "fs"))], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    end(done.returncode, done.stdout, done.stderr)


def thermal(state: dict[str, Any]) -> str:
    if not state["temperatures"]:
        return "IsStatusOverride: false\nThermal Status: 0\n"
    asked = sum("thermalservice" in line for line in (HOME / "log").read_text().splitlines())
    now = state["temperatures"][min(asked, len(state["temperatures"])) - 1]
    return (
        "Thermal Status: 0\nCurrent temperatures from HAL:\n"
        "\tTemperature{mValue=48.1, mType=0, mName=CPU0, mStatus=0}\n"
        f"\tTemperature{{mValue={now}, mType=3, mName=skin, mStatus=0}}\n"
    )


if __name__ == "__main__":
    main()
