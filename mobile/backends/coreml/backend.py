"""Core ML: `.mlpackage` ML Programs, fp16 and fp16 with int8 weights.

Conversion works everywhere, prediction on macOS alone: elsewhere a package is inspected (operators,
types, every weight against torch's, the program replayed step by step in torch) and never called
executed. Arithmetic is fp16 in both recipes, what Core ML's neural engine and GPU compute in;
`images` and `output` stay float32 and multi-arrays: an image input would bring Core ML's own
resizing and colour matching with it, and the input contract promises neither.

Packages state iOS 16 (macOS 13): int8 weights are `constexpr_affine_dequantize`, which starts
there, and one target for both recipes lets an app swap them. int8 activations would need iOS 17.
"""

from __future__ import annotations

import importlib.metadata
import platform
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobile.backend import Array, Exported, check_image, failed, register_backend
from mobile.backends.coreml import package
from mobile.backends.coreml.package import INPUT, LEAST_QUANTISED, OUTPUT, TARGET
from mobile.inspection import Inspection
from mobile.quiet import converting
from mobile.recipes import Recipe, register
from pipeline.errors import UserError

if TYPE_CHECKING:
    from torch import nn

    from students import ModelSpec

register(
    Recipe(
        name="coreml_fp16",
        backend="coreml",
        precision="fp16",
        suffix=".mlpackage",
        calibrated=False,
        # Replayed on 100 photographs, trained FastSals differ by up to 0.5 where logits reach -35,
        # least CC 0.99996; the rest is room for devices that sum in float16, too.
        max_abs=2.0,
        min_cc=0.999,
        summary="Core ML program, float16, iOS 16",
    )
)
register(
    Recipe(
        name="coreml_int8_weights",
        backend="coreml",
        precision="int8 weights",
        suffix=".mlpackage",
        calibrated=False,
        max_abs=None,
        min_cc=0.99,
        summary="Core ML program, float16 with int8 weights per channel, iOS 16",
    )
)


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
    """Exports to `.mlpackage`, runs it on macOS, inspects it everywhere."""

    name = "coreml"
    suffix = ".mlpackage"
    runtime = "coremltools"
    modules: tuple[str, ...] = ("coremltools",)
    packages: tuple[str, ...] = ("torch", "coremltools", "fovea")

    def refusal(self) -> str | None:
        """Apple ships the runtime with its own systems only."""
        if platform.system() == "Darwin":
            return None
        return f"Core ML runs on Apple's systems only, this is {platform.system()}"

    def export(
        self,
        module: nn.Module,
        example: Array,
        recipe: Recipe,
        calibration: Iterable[Array],  # noqa: ARG002
        spec: ModelSpec,
    ) -> Exported:
        """Trace, convert, compress weights when the recipe says so, make the package canonical."""
        import coremltools
        import torch

        program = torch.export.export(module, (torch.from_numpy(example),))
        model = coremltools.convert(
            # coremltools refuses the training dialect that torch.export gives.
            program.run_decompositions({}),
            inputs=[coremltools.TensorType(INPUT, example.shape, np.float32)],
            outputs=[coremltools.TensorType(OUTPUT, dtype=np.float32)],
            convert_to="mlprogram",
            minimum_deployment_target=coremltools.target[TARGET],
            compute_precision=coremltools.precision.FLOAT16,
            skip_model_load=True,
        )
        if recipe.precision == "int8 weights":
            model = _quantise_weights(model)
        with tempfile.TemporaryDirectory() as folder:
            saved = Path(folder) / f"model{self.suffix}"
            model.save(str(saved))
            files = package.canonical(saved, _described(spec, recipe), _about(spec, recipe))
        # Which unit runs an operator is decided on the device when it loads the package.
        return Exported(files, "NCHW", INPUT, OUTPUT, delegation=None)

    def load(self, path: Path, threads: int) -> CoreMLRunner:
        """Open a package; `UserError` when it is damaged, or not on macOS."""
        package.check(path)
        reason = self.refusal()
        if reason:
            raise UserError(f"{path} cannot be executed on this machine: {reason}")
        with converting(f"loading {path}", None, "export it again"):
            return CoreMLRunner(path, threads)

    def inspect(
        self, path: Path, module: nn.Module, recipe: Recipe, images: Iterable[tuple[str, Array]]
    ) -> Inspection:
        """Operators, types, weights against torch's, and a replay of the program on `images`."""
        from mobile.backends.coreml.inspect import inspect

        return inspect(path, module, recipe, images)


def _quantise_weights(model: Any) -> Any:
    from coremltools.optimize import coreml

    how = coreml.OpLinearQuantizerConfig(
        mode="linear_symmetric", dtype="int8", granularity="per_channel",
        weight_threshold=LEAST_QUANTISED - 1,
    )  # fmt: skip
    return coreml.linear_quantize_weights(model, coreml.OptimizationConfig(global_config=how))


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
