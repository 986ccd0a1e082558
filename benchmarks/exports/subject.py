"""What is exported: a student as its configuration builds it, with weights worth measuring.

Fresh weights run in denormals and saturate nothing. A checkpoint is best; without one the student
keeps its initialisation, layer scales that begin near 0 are set to `AWAKE`, and the statistics of
its batch norms are taken on photographs, every one through layers normalised by the batch.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import students
from mobile.backend import Array
from pipeline import checkpoint
from pipeline.config.load import compose
from pipeline.errors import UserError
from pipeline.files import sha256_file, sha256_json
from pipeline.tasks.readout import MEANINGS
from students.layers import check_size
from students.registry import ModelSpec

AUXILIARY = "auxiliary."
SEED = 0
BATCH = 8
ASLEEP, AWAKE = 1e-3, 0.1
"""A parameter whose values are all the same and below `ASLEEP` is one that training would grow."""
CALIBRATED = f"calibrated: batch-norm statistics of photographs, layer scales {AWAKE}, seed {SEED}"


@dataclass(frozen=True)
class Subject:
    """One student that pairs are made of."""

    name: str
    overrides: Mapping[str, Any]
    """Arguments of its builder, auxiliary heads left out."""
    spec: ModelSpec
    """At the size and with the meaning it is exported for."""
    weights: str
    """As the ledger's rows name them."""
    checkpoint: Path | None
    """None: to be calibrated."""
    code: str
    """Hash of the sources that its modules come from."""


def subject(name: str, size: Sequence[int] | None, given: Mapping[str, Path]) -> Subject:
    """The student called `name`; `given` are checkpoints by student.

    Without `size`, that of the checkpoint or of its configuration on the sample data. Raises
    `UserError` for a student without a configuration, or a size that it cannot take.
    """
    path = given.get(name)
    if path is not None:
        model, header = checkpoint.load_model(path, "student", name)
        spec, overrides = checkpoint.spec_of(header), dict(header["overrides"])
        weights = f"{_origin(header)}: sha256 {sha256_file(path)[:12]}"
    else:
        config = compose([f"student={name}"]).student
        model, weights = _built(config.name, config.overrides), CALIBRATED
        overrides = _shipped(model, config.overrides)
        spec = replace(students.spec(config.name), output=MEANINGS[config.readout])
        if config.input_size:
            spec = replace(spec, height=config.input_size[0], width=config.input_size[1])
    if size is not None:
        spec = replace(spec, height=size[0], width=size[1])
    _check(spec)
    return Subject(name, overrides, spec, weights, path, code_of(model))


def checkpoints(paths: Sequence[Path]) -> dict[str, Path]:
    """Checkpoints by the student they hold; `UserError` for two of one student."""
    found: dict[str, Path] = {}
    for path in paths:
        _, header = checkpoint.read(path)
        name = str(header["model"])
        if name in found:
            raise UserError(f"{found[name]} and {path} both hold {name}; give one of them")
        found[name] = path
    return found


def write(taken: Subject, images: Sequence[Array], path: Path) -> None:
    """The subject as a checkpoint of ours at `path`, calibrated where it has none."""
    if taken.checkpoint is not None:
        weights, header = checkpoint.read(taken.checkpoint)
    else:
        weights = calibrated(_built(taken.spec.name, taken.overrides), images).state_dict()
        header = {
            "kind": "student",
            "model": taken.spec.name,
            "overrides": dict(taken.overrides),
            "output": taken.spec.output,
        }
    size = {"height": taken.spec.height, "width": taken.spec.width}
    checkpoint.write(path, weights, header | size)


def calibrated(student: nn.Module, images: Sequence[Array]) -> nn.Module:
    """`student` in eval mode, awake, with batch-norm statistics of `images` (1, 3, H, W)."""
    student.eval()
    with torch.no_grad():
        for parameter in student.parameters():
            value = parameter.flatten()[0]
            if 0 < abs(float(value)) < ASLEEP and bool((parameter == value).all()):
                parameter.fill_(AWAKE)
    norms = [module for module in student.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over batches
        norm.train()
    with torch.no_grad():
        for first in range(0, len(images), BATCH):
            student(torch.from_numpy(np.concatenate(images[first : first + BATCH])))
    return student.eval()


def code_of(model: nn.Module) -> str:
    """Hash of the source files of a model's classes, those of torch left out."""
    classes = {type(module) for module in model.modules()}
    own = {c for c in classes if not c.__module__.startswith(("torch.", "torchvision."))}
    files = sorted({Path(inspect.getfile(each)) for each in own})
    return sha256_json([[file.name, sha256_file(file)] for file in files])


def _built(name: str, overrides: Mapping[str, Any]) -> nn.Module:
    torch.manual_seed(SEED)
    return checkpoint.fresh(students.build, name, "student.overrides", **overrides)


def _shipped(model: nn.Module, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """As training ships it: without the heads that it alone sees."""
    assisted = any(name.startswith(AUXILIARY) for name in model.state_dict())
    return dict(overrides) | ({"aux": False} if assisted else {})


def _origin(header: Mapping[str, Any]) -> str:
    phase = header.get("phase")
    return f"checkpoint of phase {phase}" if phase else "checkpoint"


def _check(spec: ModelSpec) -> None:
    try:
        check_size(
            torch.empty(1, 3, spec.height, spec.width), spec.multiple_of, spec.name, spec.least
        )
    except ValueError as error:
        raise UserError(f"--size {spec.height} {spec.width}: {error}") from error
