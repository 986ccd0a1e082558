"""LiteRT.js and Chromium: where they are, and what is missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import platformdirs

from pipeline.errors import UserError

VERSION = "2.5.3"
PACKAGES = ("@litertjs/core", "@litertjs/wasm-utils")
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_TIMEOUT_SECONDS = 600


def packages() -> Path:
    """The folder that holds the installed packages, each under its own name."""
    chosen = os.environ.get("FOVEA_CACHE") or platformdirs.user_cache_dir("fovea")
    return Path(chosen) / f"litertjs-{VERSION}" / "node_modules" / "@litertjs"


def installed() -> bool:
    """Whether exactly this version is there."""
    try:
        found = json.loads((packages() / "core" / "package.json").read_text())["version"]
    except (OSError, ValueError, KeyError):
        return False
    return found == VERSION and (packages() / "wasm-utils" / "package.json").is_file()


def chromium() -> str | None:
    """Path of the browser: FOVEA_CHROMIUM, or the first one known on PATH."""
    chosen = os.environ.get("FOVEA_CHROMIUM")
    if chosen:
        return shutil.which(chosen)
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def install() -> None:
    """Install the packages; whole or not at all. `UserError` where npm is missing or fails."""
    npm = shutil.which("npm")
    if npm is None:
        raise UserError("npm is not on PATH; install Node.js, which brings it")
    home = packages().parents[1]
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".litertjs-") as folder:
        wanted = [f"{name}@{VERSION}" for name in PACKAGES]
        quiet = ("--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
        command = [npm, "install", "--prefix", folder, *quiet, *wanted]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
        if done.returncode != 0:
            words = (done.stderr.strip().splitlines() or ["no word why"])[0]
            raise UserError(f"npm could not install {', '.join(wanted)}: {words}")
        shutil.rmtree(home, ignore_errors=True)
        Path(folder).rename(home)
        Path(folder).mkdir()  # for its own clean-up
