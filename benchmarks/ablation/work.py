"""Where rows are trained and measured: the pipeline's own stages, in folders that rows share.

In FOVEA_SCRATCH, below `ablation`: the data once, each teacher with its labels once, each training
once, whatever rows and studies use them. A finished stage leaves a stamp and is not run again; a
killed one goes on. Stamps do not watch the code: remove the folder after changing what counts.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from benchmarks.ablation.plan import CONF, Composed, Run, composed, merged
from pipeline.errors import UserError
from pipeline.files import atomic_write_text, read_json, sha256_json, write_json
from pipeline.lock import in_turn
from pipeline.scratch import code_version, root

INPUTS = ("sample", "data")


def home() -> Path:
    """The folder of all ablations of this user."""
    return root() / "ablation"


def data(settings: Composed) -> Path:
    """A folder with the images of these settings listed."""
    tree = settings.tree
    folder = home() / f"data-{sha256_json([tree['data'], tree['sample']])[:12]}"
    stage(folder, settings, "sample")
    stage(folder, settings, "prepare")
    return folder


def counts(folder: Path) -> dict[str, int]:
    """Images by role of a folder with listed data."""
    roles = read_json(folder / "outputs/data/manifest.json")["roles"]
    return {name: role["count"] for name, role in roles.items()}


def teacher(source: Path, settings: Composed, name: str) -> Path:
    """A folder with the teacher called `name` and, where a phase learns from them, its labels."""
    own = settings.tree["student"]["teachers"][name]
    folder = home() / f"teacher-{name}-{sha256_json([source.name, own])[:12]}"
    link(source, folder, INPUTS)
    stage(folder, settings, "teacher", name)
    learned = [p.labels for p in settings.config.student.phases.values() if p.teacher_weight > 0]
    if f"outputs/labels/{name}" in learned:
        stage(folder, settings, "label", name)
    return folder


def trained(run: Run) -> Path:
    """A folder with the student of `run` after all its phases."""
    settings = composed(run.overrides)
    shared = composed(merged(run.overrides, ["seed=0"]))  # one teacher for all seeds
    source = data(shared)
    made = {name: teacher(source, shared, name) for name in shared.config.student.teachers}
    key = sha256_json([source.name, settings.student, run.seed])
    folder = home() / f"student-{settings.config.student.name}-{key[:12]}"
    link(source, folder, INPUTS)
    for name, place in made.items():
        link(place, folder, [f"teachers/{name}", f"labels/{name}"])
    for phase in settings.config.student.phases:
        stage(folder, settings, "train", phase)
    return folder


def measured(run: Run, source: Path) -> Path:
    """A folder with the metrics of `run`, trained in `source`, in outputs/metrics.json."""
    settings = composed(run.measured)
    folder = source / f"measured-{run.config[:12]}"
    # A training may be read out in several ways; each has a workspace that borrows all else.
    outputs = source / "outputs"
    borrowed = [*outputs.glob("teachers/*"), *outputs.glob("labels/*")]
    names = [str(path.relative_to(outputs)) for path in borrowed]
    link(source, folder, [*INPUTS, "train", *names])
    stage(folder, settings, "evaluate")
    return folder


def link(source: Path, folder: Path, names: Sequence[str]) -> None:
    """Outputs of another folder, seen from `folder`; those it has not are left out."""
    for name in names:
        theirs, own = source / "outputs" / name, folder / "outputs" / name
        own.parent.mkdir(parents=True, exist_ok=True)
        if theirs.exists() and not own.is_symlink():
            own.symlink_to(theirs.resolve())


def stage(folder: Path, settings: Composed, *command: str) -> None:
    """Run a stage in `folder` unless it has already succeeded there.

    Another process at work in the same folder is waited for. Raises `UserError` when it fails.
    """
    name = "-".join(command)
    with in_turn(folder / ".lock", f"another ablation in {folder.name}"):
        stamp, tries = folder / f".done-{name}.json", folder / f".tries-{name}"
        if stamp.exists():
            return
        tree = OmegaConf.create(settings.tree)
        atomic_write_text(folder / "params.yaml", OmegaConf.to_yaml(tree))
        tries.write_text((tries.read_text() if tries.exists() else "") + "x")
        print(f"running {' '.join(command)} in {folder}", flush=True)
        began = time.monotonic()
        _call(folder, command)
        seconds = round(time.monotonic() - began, 1)
        # Of a stage that was killed in between, nobody knows how long it took.
        whole = len(tries.read_text()) == 1
        write_json(stamp, {"seconds": seconds if whole else None, "code": code_version()})


def _call(folder: Path, command: Sequence[str]) -> None:
    environment = os.environ | {"PYTHONPATH": str(CONF.parent)}
    line = [sys.executable, "-m", f"pipeline.stages.{command[0]}", *command[1:]]
    process = subprocess.Popen(line, cwd=folder, env=environment)
    try:
        code = process.wait()
    except KeyboardInterrupt:
        process.wait()  # Ctrl-C reached the stage, too; it ends where it can go on
        raise
    if code != 0:
        raise UserError(f"{' '.join(command)} stopped in {folder}; run the same command to go on")


def stamps(folder: Path, phases: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the phases' stamps hold."""
    return {name: read_json(folder / f".done-train-{name}.json") for name in phases}


def hint_loss(folder: Path) -> float | None:
    """Least validation hint loss of the pretraining in `folder`, or None without one."""
    path = folder / "outputs/train/hint/epochs.csv"
    if not path.is_file():
        return None
    with path.open(newline="") as stream:
        values = [float(row["val_hint"]) for row in csv.DictReader(stream) if row["val_hint"]]
    return round(min(values), 6) if values else None
