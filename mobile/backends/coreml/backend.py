"""Core ML: `.mlpackage` ML Programs in fp16, with compressed weights, or with int8 activations.

Conversion works everywhere, Core ML itself on macOS alone. Elsewhere a reference interpreter
(`interpreter/`) runs packages in fp16, which says what the file computes and nothing of its speed:
it is named in every table, and never timed. Arithmetic is fp16, what Core ML's neural engine and
GPU compute in; `images` and `output` stay float32 and multi-arrays: an image input would bring
Core ML's own resizing and colour matching with it, and the input contract promises neither.

Packages state iOS 16 (macOS 13), where compressed weights start; one target lets an app swap them.
int8 activations need iOS 17.
"""

from __future__ import annotations

import importlib.metadata
import platform
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobile.backend import Array, Exported, Runner, check_image, failed, register_backend
from mobile.backends.coreml import package
from mobile.backends.coreml import recipes as _registers  # noqa: F401
from mobile.backends.coreml.package import INPUT, OUTPUT, target
from mobile.inspection import Inspection
from mobile.quiet import converting
from mobile.recipes import Recipe

if TYPE_CHECKING:
    from torch import nn

    from students import ModelSpec

INTERPRETER = "reference interpreter (not Core ML's runtime)"


class CoreMLRunner:
    """One loaded package, on whatever unit Core ML chooses. macOS only.

    Core ML decides on threads itself; `threads` is what was asked for.
    """

    def __init__(self, path: Path, threads: int) -> None:
        import coremltools

        self.path = path
        self.threads = threads
        self._model: Any = coremltools.models.MLModel(str(path))
        array = self._model.get_spec().description.input[0].type.multiArrayType
        self.shape = tuple(int(side) for side in array.shape)

    def prepare(self, image: Array) -> dict[str, Array]:
        """`image` (1, 3, H, W) under its input's name."""
        check_image(image, self.shape, self.path)
        return {INPUT: np.ascontiguousarray(image)}

    def invoke(self, prepared: Any) -> Array:
        """Run once."""
        try:
            return np.asarray(self._model.predict(prepared)[OUTPUT], np.float32)
        except RuntimeError as error:
            raise failed(self.path, error) from error

    def run(self, image: Array) -> Array:
        """`image` (1, 3, H, W) -> (1, 1, H, W)."""
        return self.invoke(self.prepare(image))


class CoreML:
    """Exports to `.mlpackage`; runs it on macOS, interprets it elsewhere."""

    name = "coreml"
    suffix = ".mlpackage"
    runtime = "coremltools"
    modules: tuple[str, ...] = ("coremltools",)
    packages: tuple[str, ...] = ("torch", "coremltools", "fovea")

    def refusal(self) -> str | None:
        """Runs everywhere, if not by Core ML."""
        return None

    def executor(self) -> str:
        """Apple ships its runtime with its own systems only."""
        return "Core ML" if _at_home() else INTERPRETER

    def untimed(self) -> str | None:
        """The interpreter's time is not Core ML's."""
        if _at_home():
            return None
        return f"run by the {INTERPRETER}, whose time is not Core ML's: time it on macOS"

    def export(
        self,
        module: nn.Module,
        example: Array,
        recipe: Recipe,
        calibration: Iterable[Array],
        spec: ModelSpec,
    ) -> Exported:
        """Trace, convert, compress as the recipe says, make the package canonical."""
        import coremltools
        import torch

        from mobile.backends.coreml import compress

        image = torch.from_numpy(example)
        if recipe.precision == "w8a8":
            module = compress.activations(module, image, calibration)
        program = torch.export.export(module, (image,))
        model = coremltools.convert(
            # coremltools refuses the training dialect that torch.export gives.
            program.run_decompositions({}),
            inputs=[coremltools.TensorType(INPUT, example.shape, np.float32)],
            outputs=[coremltools.TensorType(OUTPUT, dtype=np.float32)],
            convert_to="mlprogram",
            minimum_deployment_target=coremltools.target[target(recipe)],
            compute_precision=coremltools.precision.FLOAT16,
            skip_model_load=True,
        )
        model = compress.weights(model, recipe.precision)
        with tempfile.TemporaryDirectory() as folder:
            saved = Path(folder) / f"model{self.suffix}"
            model.save(str(saved))
            files = package.canonical(saved, _described(spec, recipe), _about(spec, recipe))
        # Which unit runs an operator is decided on the device when it loads the package.
        return Exported(files, "NCHW", INPUT, OUTPUT, delegation=None)

    def load(self, path: Path, threads: int) -> Runner:
        """Open a package; `UserError` when it is damaged, or has an operator not known here."""
        package.check(path)
        with converting(f"loading {path}", None, "export it again"):
            if _at_home():
                return CoreMLRunner(path, threads)
            from mobile.backends.coreml.interpreter.run import Interpreter

            return Interpreter(path, "fp16", threads)

    def inspect(self, path: Path, module: nn.Module, recipe: Recipe) -> Inspection:
        """Operators, types, and weights against torch's."""
        from mobile.backends.coreml.inspect import inspect

        return inspect(path, module, recipe)


def _at_home() -> bool:
    return platform.system() == "Darwin"


def _described(spec: ModelSpec, recipe: Recipe) -> dict[str, str]:
    size = f"(1, 3, {spec.height}, {spec.width})"
    return {
        "shortDescription": f"{spec.name}: {spec.task}, {recipe.summary}. After {spec.source}.",
        "author": "Fovea",
        "versionString": importlib.metadata.version("fovea"),
        INPUT: f"RGB, float32 0-255, {size}, channels first; normalised inside the model",
        OUTPUT: f"{spec.task} {spec.output}, float32, channels first",
    }


def _about(spec: ModelSpec, recipe: Recipe) -> dict[str, str]:
    return {
        "fovea.recipe": recipe.name,
        "fovea.student": spec.name,
        "fovea.task": spec.task,
        "fovea.version": importlib.metadata.version("fovea"),
    }


register_backend(CoreML())
