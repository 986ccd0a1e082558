"""Checkpoints: safetensors with a JSON header that says what they are and where they came from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

import students
import teachers
from pipeline.errors import UserError
from pipeline.files import atomic_write_bytes
from students.registry import ModelSpec

FORMAT = 1
Header = dict[str, Any]


def write(path: Path, weights: dict[str, Tensor], header: Header) -> None:
    """Write `weights` with `header` (must name `kind`, `model` and `overrides`), atomically."""
    content = json.dumps({"format": FORMAT, **header}, sort_keys=True)
    contiguous = {name: value.contiguous() for name, value in sorted(weights.items())}
    atomic_write_bytes(path, save(contiguous, {"fovea": content}))


def read(path: Path) -> tuple[dict[str, Tensor], Header]:
    """Weights and header. `UserError` for a file that is not ours, or newer than this version."""
    try:
        with safe_open(str(path), framework="pt") as stream:
            metadata = stream.metadata() or {}
            # Sorted names: the file's own order is not promised.
            weights = {name: stream.get_tensor(name) for name in sorted(stream.keys())}
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing; run `dvc repro` to make it") from error
    except SafetensorError as error:
        raise UserError(f"{path} is not a checkpoint ({error}); remove it and run again") from error
    if "fovea" not in metadata:
        raise UserError(f"{path} holds weights but no Fovea header; was it made by another tool?")
    header = json.loads(metadata["fovea"])
    if header.get("format", 0) > FORMAT:
        raise UserError(
            f"{path} has checkpoint format {header['format']}, newer than {FORMAT}; update Fovea"
        )
    return weights, header


def load_model(path: Path, kind: str, name: str | None = None) -> tuple[nn.Module, Header]:
    """The model a checkpoint holds, in eval mode. `kind` is `student` or `teacher`.

    Raises `UserError` if it holds another kind, or another model than `name`.
    """
    weights, header = read(path)
    if header["kind"] != kind or (name is not None and header["model"] != name):
        wanted = f"{kind} {name}" if name else kind
        raise UserError(f"{path} holds {header['kind']} {header['model']}, not {wanted}")
    # Any student can teach: then a teacher's checkpoint holds a student's weights.
    build = teachers.build if header["model"] in teachers.names() else students.build
    model = build(header["model"], **header["overrides"])
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise UserError(f"{path} does not fit {header['model']}: {error}") from error
    return model.eval(), header


def spec_of(header: Header) -> ModelSpec:
    """The spec of the model a checkpoint holds."""
    return spec_named(header["model"])


def spec_named(name: str) -> ModelSpec:
    """The spec of a teacher or, as any student can teach, of a student."""
    return teachers.spec(name) if name in teachers.names() else students.spec(name)
