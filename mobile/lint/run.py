"""Exporting an untrained student by every backend and asking the rules."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from mobile import recipes
from mobile.export import export
from mobile.lint import executorch, graph, litert
from mobile.lint.finding import Finding
from mobile.quiet import converting
from mobile.rewrites import forms
from pipeline.errors import UserError

if TYPE_CHECKING:
    from torch import nn

    from mobile.backend import Array
    from students import ModelSpec

NOISE_IMAGES = 2
"""Enough for scales, which lint does not look at: it asks for structure, not for accuracy."""


def _executorch(student: nn.Module, spec: ModelSpec, folder: Path) -> Iterator[Finding]:
    report = export(student, spec, recipes.get("executorch_fp32"), None, folder)
    assert report.delegation is not None
    yield from executorch.undelegated(report.delegation.undelegated)
    module = next(iter(forms.of(student).values()))
    images = noise(spec)
    with converting(f"quantising {spec.name}", None):
        from mobile.backends.executorch.quantise import quantise

        quantised = quantise(module, (torch.from_numpy(images[0]),), iter(images))
    yield from executorch.islands(quantised, executorch.int8_operators())


def _litert(student: nn.Module, spec: ModelSpec, folder: Path) -> Iterator[Finding]:
    report = export(student, spec, recipes.get("litert_fp32"), None, folder / "float")
    assert report.delegation is not None
    operators, tensors = litert.read(folder / "float" / report.file)
    yield from litert.undelegated(report.delegation.undelegated)
    yield from litert.refused_by_gpu(operators)
    yield from litert.many_axes(operators, tensors)
    int8 = export(student, spec, recipes.get("litert_int8"), iter(noise(spec)), folder / "int8")
    yield from litert.islands(*litert.read(folder / "int8" / int8.file))


def _coreml(student: nn.Module, spec: ModelSpec, folder: Path) -> Iterator[Finding]:
    export(student, spec, recipes.get("coreml_fp16"), None, folder)
    yield from ()  # nothing but the conversion itself can fail


Ask = Callable[[Any, Any, Path], Iterator[Finding]]
BACKENDS: dict[str, Ask] = {"executorch": _executorch, "litert": _litert, "coreml": _coreml}


def lint(
    student: nn.Module,
    spec: ModelSpec,
    backends: list[str] | None = None,
    on_backend: Callable[[str], None] = lambda _: None,
) -> list[Finding]:
    """All findings on `student`, trained or not, at the size of `spec`; empty when clean.

    `backends` are names of `BACKENDS`, default all. A backend that cannot convert the student is a
    finding, not an error. `on_backend` is told each name before its turn.
    """
    image = torch.from_numpy(noise(spec)[0])
    module = next(iter(forms.of(student).values()))
    try:
        found = list(graph.findings(torch.export.export(module, (image,)).module()))
    except Exception as error:  # torch.export raises anything
        reason = " ".join(str(error).split())[:200]
        return [
            Finding(
                "any",
                "breaks",
                type(student).__name__,
                f"torch.export cannot trace it: {reason}",
                "no branches or sizes that depend on values; sizes from images.shape",
            )
        ]
    for name in backends or list(BACKENDS):
        on_backend(name)
        with tempfile.TemporaryDirectory() as folder:
            try:
                found += BACKENDS[name](student, spec, Path(folder))
            except UserError as error:
                found.append(_unconverted(name, error))
    return found


def noise(spec: ModelSpec) -> list[Array]:
    """Images of uniform noise, (1, 3, H, W) float32 RGB 0-255."""
    random = np.random.default_rng(0)
    shape = (1, 3, spec.height, spec.width)
    return [random.uniform(0, 255, shape).astype(np.float32) for _ in range(NOISE_IMAGES)]


def _unconverted(backend: str, error: UserError) -> Finding:
    reason = str(error).partition("; full log")[0]
    return Finding(
        backend,
        "breaks",
        "conversion",
        reason,
        "replace the operator it names, or leave this backend out of export.recipes",
    )
