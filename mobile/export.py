"""Export one student by one recipe, and say exactly what came out."""

from __future__ import annotations

import importlib.metadata
import platform
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobile import integrity
from mobile.backend import Array, Backend, Delegation, Exported, Runner, backend_for, get_backend
from mobile.calibration import Calibration, Recorder
from mobile.quiet import converting
from mobile.recipes import Recipe
from mobile.rewrites import forms
from mobile.rewrites.forms import Form
from pipeline.errors import UserError
from pipeline.files import atomic_write_bytes, read_json, replace_tree, tree_hash, write_json

if TYPE_CHECKING:
    from torch import nn

    from students import ModelSpec

SCHEMA = 1


@dataclass(frozen=True)
class InputContract:
    """What a shipped file takes."""

    name: str
    layout: str
    """`NCHW` or `NHWC`."""
    shape: tuple[int, ...]
    """In `layout` order, batch of one included."""
    dtype: str
    range: tuple[float, float]
    """Smallest and largest value; normalisation happens inside the file."""
    color: str
    """Order of the three channels."""


@dataclass(frozen=True)
class OutputContract:
    """What a shipped file gives."""

    name: str
    shape: tuple[int, ...]
    meaning: str
    """`logits`, …: from the student's spec."""


@dataclass(frozen=True)
class ExportReport:
    """Everything about one exported file; `export.json` beside it."""

    schema: int
    student: str
    recipe: str
    backend: str
    precision: str
    file: str
    bytes: int
    sha256: str
    input: InputContract
    output: OutputContract
    delegation: Delegation | None
    """None where the runtime decides on the device, at load."""
    calibration: Calibration | None
    versions: dict[str, str]
    form: Form | None = None
    """Which of the student's equal forms was exported; None in reports older than this field."""
    rewrites: dict[str, int] = field(default_factory=dict)
    """Exact rewrites of the graph that the backend applied, with how often."""

    @classmethod
    def read(cls, path: Path) -> ExportReport:
        """From `export.json`; `UserError` when it is of another schema or incomplete."""
        raw = read_json(path)
        if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
            raise UserError(f"{path} is not an export report of schema {SCHEMA}; export again")
        try:
            return cls(**{**raw, **_nested(raw)})
        except (KeyError, TypeError) as error:
            raise UserError(
                f"{path} is not a whole export report ({error}); export again"
            ) from error


def export(
    student: nn.Module,
    spec: ModelSpec,
    recipe: Recipe,
    calibration: Iterable[Array] | None,
    folder: Path,
    form: str | None = None,
) -> ExportReport:
    """Export `student` to `folder/model.<suffix>` and write `folder/export.json`.

    `calibration` gives (1, 3, H, W) float32 images of RGB 0-255 and is only read by recipes that
    say so. The student itself is not touched: a copy is exported in eval mode on the CPU, in the
    named `form` or the one measured quickest (`mobile.rewrites.forms`). On failure nothing stays
    but `export.log` with what the converter said.

    Raises `UserError` when the backend's packages are missing, calibration images are missing or
    of another size, or the conversion fails (naming the operator where the converter does).
    """
    backend = get_backend(recipe.backend)
    shape = (1, 3, spec.height, spec.width)
    recorder = Recorder(calibration, shape, recipe)
    what = f"exporting {spec.name} as {recipe.name}"
    with converting(what, folder / "export.log"):
        offered = forms.of(student)
        chosen = forms.choose(spec.name, recipe.name, list(offered)) if form is None else None
        taken = chosen or forms.named(form or "", list(offered))
        module = offered[taken.name]
        output_shape = _output_shape(module, shape)
        exported = backend.export(module, _example(shape), recipe, recorder, spec)
    path = folder / f"model{recipe.suffix}"
    _write(path, exported.data)
    report = ExportReport(
        schema=SCHEMA,
        student=spec.name,
        recipe=recipe.name,
        backend=recipe.backend,
        precision=recipe.precision,
        file=path.name,
        bytes=_size(exported.data),
        sha256=tree_hash(path),
        input=_input_contract(exported, shape),
        output=OutputContract(exported.output_name, output_shape, spec.output),
        delegation=exported.delegation,
        calibration=recorder.summary(),
        versions=package_versions(backend),
        form=taken,
        rewrites=dict(exported.rewrites),
    )
    write_json(folder / "export.json", asdict(report))
    return report


def open_runner(path: Path, threads: int = 1, verify: bool = True) -> Runner:
    """Load an exported file by its ending.

    `verify` compares its hash with the export report or bundle around it first. Raises `UserError`
    when the file is missing, damaged, not what its name says, or of a backend that cannot run here.
    """
    if threads < 1:
        raise UserError(f"threads must be 1 or more, got {threads}")
    backend = backend_for(path)
    if verify:
        integrity.check(path)
    return backend.load(path, threads)


def package_versions(backend: Backend) -> dict[str, str]:
    """Versions of everything that decides the bytes of an export by `backend`."""
    found = {"python": platform.python_version()}
    for package in backend.packages:
        found[package] = importlib.metadata.version(package)
    return found


def _write(path: Path, data: bytes | Mapping[str, bytes]) -> None:
    if isinstance(data, bytes):
        atomic_write_bytes(path, data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as temporary:
        for name, content in data.items():
            atomic_write_bytes(Path(temporary) / path.name / name, content)
        replace_tree(Path(temporary) / path.name, path)


def _size(data: bytes | Mapping[str, bytes]) -> int:
    return len(data) if isinstance(data, bytes) else sum(len(part) for part in data.values())


def exported_form(path: Path, student: nn.Module) -> nn.Module:
    """The form of `student` that the file `path` was made from, by the report beside it."""
    offered = forms.of(student)
    report = path.with_name("export.json")
    form = ExportReport.read(report).form if report.is_file() else None
    return offered[form.name] if form is not None else next(iter(offered.values()))


def _example(shape: tuple[int, ...]) -> Array:
    # Only traced, but a constant image could make a converter fold what depends on it.
    return np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)


def _output_shape(module: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    import torch

    with torch.inference_mode():
        output = module(torch.zeros(shape))
    if not isinstance(output, torch.Tensor):
        raise UserError(
            f"the model returns {type(output).__name__}; only models with one output tensor can be "
            "exported"
        )
    return tuple(output.shape)


def _input_contract(exported: Exported, shape: tuple[int, ...]) -> InputContract:
    batch, channels, height, width = shape
    taken = shape if exported.layout == "NCHW" else (batch, height, width, channels)
    return InputContract(
        exported.input_name, exported.layout, taken, "float32", (0.0, 255.0), "RGB"
    )


def _nested(raw: dict[str, Any]) -> dict[str, Any]:
    taken, given = raw["input"], raw["output"]
    delegation, calibration = raw["delegation"], raw["calibration"]
    form = raw.get("form")
    return {
        "form": None if form is None else Form(**form),
        "input": InputContract(
            **{**taken, "shape": tuple(taken["shape"]), "range": tuple(taken["range"])}
        ),
        "output": OutputContract(**{**given, "shape": tuple(given["shape"])}),
        "delegation": None if delegation is None else Delegation(**delegation),
        "calibration": None if calibration is None else Calibration(**calibration),
    }
