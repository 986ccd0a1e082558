"""What a package says of itself, and whether that is what the recipe promises."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mobile.backends.coreml import weights
from mobile.backends.coreml.interpreter.run import Interpreter
from mobile.backends.coreml.package import INPUT, LEAST_QUANTISED, OUTPUT, STORED, target
from mobile.backends.coreml.program import Kernel, Package
from mobile.inspection import Inspection, Port
from mobile.recipes import Recipe

if TYPE_CHECKING:
    from torch import nn


def inspect(path: Path, module: nn.Module, recipe: Recipe) -> Inspection:
    """Read the package `path` beside the `module` it was converted from."""
    package = Package(Interpreter(path, "fp32"))
    kernels = package.kernels()
    layers = weights.layers(module, package.inputs[0].shape)
    compared, unequal = weights.compare(kernels, layers)
    problems = [*_contract_problems(package, recipe), *_storage_problems(kernels, recipe)]
    return Inspection(
        kind="ML Program",
        target=package.target,
        bytes=sum(file.stat().st_size for file in path.rglob("*") if file.is_file()),
        inputs=package.inputs,
        outputs=package.outputs,
        operators=package.operators,
        computed=package.computed,
        weights=compared,
        problems=[*problems, *unequal],
    )


def _contract_problems(program: Package, recipe: Recipe) -> list[str]:
    """What differs from the names, shapes, types and system that every package states."""
    shape = program.inputs[0].shape
    wanted = [Port(INPUT, shape, "float32")]
    problems = []
    if program.inputs != wanted or len(shape) != 4 or shape[:2] != (1, 3):
        problems.append(f"inputs are {program.inputs}, expected one float32 {INPUT} (1, 3, H, W)")
    if [(port.name, port.dtype) for port in program.outputs] != [(OUTPUT, "float32")]:
        problems.append(f"outputs are {program.outputs}, expected one float32 {OUTPUT}")
    if program.target != target(recipe):
        problems.append(f"needs {program.target}, the recipe states {target(recipe)}")
    return problems


def _storage_problems(kernels: Sequence[Kernel], recipe: Recipe) -> list[str]:
    """Weights that are not stored as the recipe promises."""
    problems = []
    for kernel in kernels:
        # Quantised arithmetic needs every weight of its layers in int8, small ones, too.
        large = recipe.precision == "w8a8" or kernel.weight.size >= LEAST_QUANTISED
        promised = STORED[recipe.precision] if large else "fp16"
        if kernel.stored != promised:
            problems.append(
                f"{kernel.name} of {kernel.weight.size} values is stored as {kernel.stored}, "
                f"{recipe.name} promises {promised}"
            )
    return problems
