"""What a package says of itself, and whether that is what the recipe promises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mobile.backend import Array
from mobile.backends.coreml import replay, weights
from mobile.backends.coreml.package import INPUT, LEAST_QUANTISED, OUTPUT, TARGET
from mobile.backends.coreml.program import Kernel, Program
from mobile.inspection import Inspection, Port, Replay
from mobile.parity import compare
from mobile.recipes import Recipe
from pipeline.errors import UserError

if TYPE_CHECKING:
    from torch import nn


def inspect(
    path: Path, module: nn.Module, recipe: Recipe, images: Iterable[tuple[str, Array]]
) -> Inspection:
    """Read the package `path` beside the `module` it was converted from; replay it on `images`."""
    program = Program(path)
    kernels = program.kernels()
    layers = weights.layers(module, program.inputs[0].shape)
    compared, unequal = weights.compare(kernels, layers)
    replayed, unlike = _replay(program, module, recipe, dict(images))
    problems = [*_contract_problems(program), *_storage_problems(kernels, recipe)]
    return Inspection(
        kind="ML Program",
        target=program.target,
        bytes=sum(file.stat().st_size for file in path.rglob("*") if file.is_file()),
        inputs=program.inputs,
        outputs=program.outputs,
        operators=program.operators,
        computed=program.computed,
        weights=compared,
        replay=replayed,
        problems=[*problems, *unequal, *unlike],
    )


def _contract_problems(program: Program) -> list[str]:
    """What differs from the names, shapes, types and system that every package states."""
    shape = program.inputs[0].shape
    wanted = [Port(INPUT, shape, "float32")]
    problems = []
    if program.inputs != wanted or len(shape) != 4 or shape[:2] != (1, 3):
        problems.append(f"inputs are {program.inputs}, expected one float32 {INPUT} (1, 3, H, W)")
    if [(port.name, port.dtype) for port in program.outputs] != [(OUTPUT, "float32")]:
        problems.append(f"outputs are {program.outputs}, expected one float32 {OUTPUT}")
    if program.target != TARGET:
        problems.append(f"needs {program.target}, the recipe states {TARGET}")
    return problems


def _storage_problems(kernels: Sequence[Kernel], recipe: Recipe) -> list[str]:
    """Weights that are not stored as the recipe promises."""
    problems = []
    for kernel in kernels:
        large = kernel.weight.size >= LEAST_QUANTISED
        promised = "int8" if large and recipe.precision == "int8 weights" else "fp16"
        if kernel.stored != promised:
            problems.append(
                f"{kernel.name} of {kernel.weight.size} values is stored as {kernel.stored}, "
                f"{recipe.name} promises {promised}"
            )
    return problems


def _replay(
    program: Program, module: nn.Module, recipe: Recipe, images: Mapping[str, Array]
) -> tuple[Replay, list[str]]:
    unknown = replay.unknown(program)
    if unknown:
        return Replay(0, None, None, None, f"no replay of {', '.join(unknown)}"), []
    try:
        report = compare(replay.Replay(program), module, images.values(), list(images))
    except UserError as error:  # outputs of another shape, or not finite
        return Replay(0, None, None, None, str(error)), [f"replayed: {error}"]
    real = report.real
    found = Replay(report.images, real.max_abs_max, real.cc_min, real.cc_mean)
    return found, [f"replayed: {problem}" for problem in report.problems(recipe)]
