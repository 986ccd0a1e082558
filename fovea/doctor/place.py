"""What is on this machine for Fovea: room, memory, registered roots, a model that predicts."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from fovea.doctor.finding import Finding, absent, broken, works
from pipeline.errors import UserError

if TYPE_CHECKING:
    from fovea.predict.model import Model

_LEAST_DISK = 2 * 2**30
"""Bytes a sample run writes, outputs, scratch and shelf together, with room to spare."""
_LEAST_MEMORY = 3 * 2**30
"""Bytes training and exporting the sample take."""
_LEAST_CC = 0.98


def disk() -> list[Finding]:
    """Free space where outputs, scratch and shelf lie."""
    from pipeline import scratch, shelf

    named = {"this folder": Path.cwd(), "scratch": scratch.root(), "shelf": shelf.root()}
    found = []
    for name, path in named.items():
        there = _existing(path)
        free = shutil.disk_usage(there).free
        text = f"{free / 2**30:.1f} GiB free for {name} ({path})"
        if free < _LEAST_DISK:
            mend = "free some space, or set FOVEA_SCRATCH and FOVEA_SHELF to another disk"
            found.append(broken("disk", text, mend))
        else:
            found.append(works("disk", text))
    return found


def memory() -> Finding:
    """Memory that is free now."""
    import psutil

    free = psutil.virtual_memory().available
    text = f"{free / 2**30:.1f} GiB available"
    if free < _LEAST_MEMORY:
        mend = "close other programs, or train with -S profile.batch=4"
        return absent("memory", f"{text}, which is little for training", mend)
    return works("memory", text)


def roots() -> list[Finding]:
    """Registered data sets and weights, if they still exist and can be read."""
    from pipeline.data import roots as registry

    found = []
    for kind in registry.KINDS:
        for name, path in registry.registered(kind).items():
            problem = _unreadable(path, kind)
            what = f"{kind} {name}"
            mend = f"fovea {kind} add {name} PATH, or fovea {kind} remove {name}"
            found.append(absent(what, problem, mend) if problem else works(what, str(path)))
    return found


def model() -> Finding:
    """The model that `fovea predict` would take, run on its golden input."""
    from fovea.predict import model as models

    what = "model to predict with"
    try:
        models.default()
    except UserError as error:
        return absent(what, "none yet", str(error))
    try:
        chosen = models.find(None, None)
        agreement = _golden(chosen)
    except UserError as error:
        return broken(what, str(error), "build it again: dvc repro, or fovea shelf remove HASH")
    named = f"{chosen.title} ({chosen.file})"
    if agreement is None:
        return works(what, f"{named}; it has no golden output to compare with")
    if agreement < _LEAST_CC:
        text = f"{named} gives another map than when it was built (CC {agreement:.4f})"
        return broken(what, text, "build it again: dvc repro")
    return works(what, f"{named} runs and agrees with its golden output (CC {agreement:.4f})")


def _golden(chosen: Model) -> float | None:
    """Correlation of a bundle's file with its own golden map; None where there is none."""
    import numpy as np

    from fovea.predict.picture import probability
    from pipeline.data.images import read_rgb

    bundle = chosen.file.parents[2] if len(chosen.file.parents) > 2 else chosen.file
    recipe = chosen.file.parent.name
    image, stored = (bundle / "golden" / f"image0.{end}" for end in ("png", f"{recipe}.npy"))
    runner = chosen.open(1)
    if not image.is_file() or not stored.is_file():
        return None
    pixels = read_rgb(image).astype(np.float32).transpose(2, 0, 1)[None]
    maps = (np.load(stored, allow_pickle=False), runner.run(np.ascontiguousarray(pixels)))
    shown = [probability(part, chosen.meaning).ravel() for part in maps]
    return float(np.corrcoef(shown[0], shown[1])[0, 1])


def _existing(path: Path) -> Path:
    """The nearest folder above `path` that is there."""
    return next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())


def _unreadable(path: Path, kind: str) -> str:
    """Why a registered path cannot be used, or nothing."""
    try:
        if kind == "data":
            return "" if any(path.iterdir()) else f"{path} is empty"
        with path.open("rb") as stream:
            return "" if stream.read(8) else f"{path} is empty"
    except OSError as error:
        return f"{path}: {error.strerror}"
