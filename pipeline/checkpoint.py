"""Checkpoints: safetensors with a JSON header that says what they are and where they came from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

import students
from pipeline.errors import UserError
from pipeline.files import atomic_write_bytes
from students.registry import ModelSpec, Registry

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
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is not a checkpoint ({error}); remove it and run again") from error
    if "fovea" not in metadata:
        raise UserError(f"{path} holds weights but no Fovea header; was it made by another tool?")
    return weights, _header(path, metadata["fovea"])


def _header(path: Path, text: str) -> Header:
    try:
        header = json.loads(text)
        made_as = int(header.get("format", 0))
        whole = all(key in header for key in ("kind", "model", "overrides"))
    except (AttributeError, RecursionError, TypeError, ValueError):
        whole, made_as = False, 0
    if made_as > FORMAT:
        raise UserError(
            f"{path} has checkpoint format {made_as}, newer than {FORMAT}; update Fovea"
        )
    if not whole:
        raise UserError(f"{path} has a damaged Fovea header; remove it and run again")
    return dict(header)


def load_model(path: Path, kind: str, name: str | None = None) -> tuple[nn.Module, Header]:
    """The model a checkpoint holds, in eval mode. `kind` is `student` or `teacher`.

    Raises `UserError` if it holds another kind, another model than `name`, one that this version
    does not know, or weights that do not fit or are no finite numbers.
    """
    weights, header = read(path)
    if header["kind"] != kind or (name is not None and header["model"] != name):
        wanted = f"{kind} {name}" if name else kind
        raise UserError(
            f"{path} holds {header['kind']} {header['model']}, not {wanted}; give the right "
            "checkpoint, or make it with `dvc repro`"
        )
    try:
        model = _built(header)
        model.load_state_dict(weights)
    except (RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]  # torch lists every tensor
        raise UserError(f"{path} does not fit {header['model']}: {reason}") from error
    for tensor, value in weights.items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise UserError(
                f"{path} holds NaN or infinite weights, first in {tensor}: its training diverged "
                "or the file is damaged; train again, at a lower learning rate if it did"
            )
    return model.eval(), header


def _built(header: Header) -> nn.Module:
    return _registry(header["model"]).build(header["model"], **header["overrides"])


def _registry(name: str) -> Registry:
    # Any student can teach: then a teacher's checkpoint holds a student's weights. What ships is
    # found without importing what taught it.
    if name in students.names():
        return students.registry
    import teachers

    return teachers.registry if name in teachers.names() else students.registry


def fresh(build: Callable[..., nn.Module], name: str, key: str, /, **options: Any) -> nn.Module:
    """A new model; `UserError` naming the configuration's `key` for options it cannot have."""
    try:
        return build(name, **options)
    except (OSError, RuntimeError, SafetensorError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"{key}: {name} cannot be built: {reason}") from error


def spec_of(header: Header) -> ModelSpec:
    """The spec of the model a checkpoint holds, with the size and meaning it was trained for."""
    spec = spec_named(header["model"])
    chosen = {name: header.get(name, getattr(spec, name)) for name in ("output", "height", "width")}
    return dataclasses.replace(spec, **chosen)


def spec_named(name: str) -> ModelSpec:
    """The spec of a teacher or, as any student can teach, of a student."""
    return _registry(name).spec(name)
