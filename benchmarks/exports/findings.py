"""The rules of `fovea lint`, asked of the very file that was exported instead of a fresh one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from mobile.lint import Finding, executorch, graph, litert
from mobile.lint.run import noise
from mobile.quiet import converting
from mobile.recipes import Recipe
from mobile.rewrites import forms

if TYPE_CHECKING:
    from torch import nn

    from mobile.export import ExportReport
    from students import ModelSpec


def findings(
    student: nn.Module, spec: ModelSpec, recipe: Recipe, report: ExportReport, folder: Path
) -> list[Finding]:
    """What lint has to say of `folder/report.file`, the graph it was made from included.

    Core ML decides on the device: only the graph is asked. Raises `UserError` where torch.export
    or the quantiser fails.
    """
    taken = forms.of(student)
    module = taken[report.form.name] if report.form else next(iter(taken.values()))
    with converting(f"linting {spec.name}", None):
        image = torch.from_numpy(noise(spec)[0])
        found = list(graph.findings(torch.export.export(module, (image,)).module()))
        if recipe.backend == "executorch":
            found += _executorch(module, spec, recipe, report)
        elif recipe.backend == "litert":
            found += _litert(recipe, report, folder)
    return found


def _executorch(
    module: nn.Module, spec: ModelSpec, recipe: Recipe, report: ExportReport
) -> Iterator[Finding]:
    if report.delegation is not None:
        yield from executorch.undelegated(report.delegation.undelegated)
    if recipe.precision == "int8":
        from mobile.backends.executorch.quantise import quantise

        images = noise(spec)
        quantised = quantise(module, (torch.from_numpy(images[0]),), iter(images))
        yield from executorch.islands(quantised, executorch.int8_operators())


def _litert(recipe: Recipe, report: ExportReport, folder: Path) -> Iterator[Finding]:
    operators, tensors = litert.read(folder / report.file)
    if report.delegation is not None and recipe.delegate:
        yield from litert.undelegated(report.delegation.undelegated)
    yield from litert.refused_by_gpu(operators)
    yield from litert.many_axes(operators, tensors)
    if recipe.precision == "int8":
        yield from litert.islands(operators, tensors)
