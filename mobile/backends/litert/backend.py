"""LiteRT: `.tflite` models on the XNNPACK delegate, in the precisions of `quantise`.

Files take NHWC: on FastSal as fast as NCHW within noise, with one TRANSPOSE less, and the order in
which cameras and browsers hand over pixels.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobile.backend import (
    Array,
    Delegation,
    Exported,
    check_image,
    check_magic,
    failed,
    register_backend,
)
from mobile.backends.litert import recipes as _registers  # noqa: F401
from mobile.backends.litert.delegation import count_delegated
from mobile.backends.litert.quantise import SIGNATURE, quantise
from mobile.quiet import converting
from mobile.recipes import Recipe
from mobile.rewrites import bare_constants, pad_pools_with_zeros, split_shuffled_cats
from pipeline.errors import UserError

if TYPE_CHECKING:
    from torch import nn

    from students import ModelSpec

# XNNPACK takes concatenations of up to five tensors and leaves wider ones to the interpreter.
_WIDEST_CAT = 5


class LiteRTRunner:
    """One loaded `.tflite`."""

    def __init__(self, path: Path, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.path = path
        self.threads = threads
        self._interpreter = Interpreter(str(path), num_threads=threads)
        self._interpreter.allocate_tensors()
        details = self._interpreter.get_input_details()[0]
        self._input = int(details["index"])
        self._output = int(self._interpreter.get_output_details()[0]["index"])
        taken = tuple(int(side) for side in details["shape"])
        self.layout = layout_of(taken)
        self.shape = taken if self.layout == "NCHW" else (taken[0], taken[3], taken[1], taken[2])

    @functools.cached_property
    def delegation(self) -> Delegation:
        """What the interpreter's default delegate took over."""
        return count_delegated(self._interpreter._get_ops_details())  # noqa: SLF001

    def prepare(self, image: Array) -> Array:
        """`image` (1, 3, H, W) in the layout the file takes."""
        check_image(image, self.shape, self.path)
        if self.layout == "NHWC":
            image = image.transpose(0, 2, 3, 1)
        return np.ascontiguousarray(image)

    def invoke(self, prepared: Any) -> Array:
        """Run once."""
        self._interpreter.set_tensor(self._input, prepared)
        try:
            self._interpreter.invoke()
        except RuntimeError as error:
            raise failed(self.path, error) from error
        result: Array = self._interpreter.get_tensor(self._output)
        return result

    def run(self, image: Array) -> Array:
        """`image` (1, 3, H, W) -> (1, 1, H, W)."""
        return self.invoke(self.prepare(image))


class LiteRT:
    """Exports to and runs `.tflite`."""

    name = "litert"
    suffix = ".tflite"
    runtime = "ai-edge-litert"
    modules: tuple[str, ...] = ("ai_edge_litert.interpreter",)
    packages: tuple[str, ...] = ("torch", "litert-torch", "ai-edge-litert", "ai-edge-quantizer")
    layout = "NHWC"

    def refusal(self) -> str | None:
        """Runs wherever its package installs."""
        return None

    def executor(self) -> str:
        """The runtime that apps ship, too."""
        return "LiteRT"

    def untimed(self) -> str | None:
        """Its times count."""
        return None

    def export(
        self,
        module: nn.Module,
        example: Array,
        recipe: Recipe,
        calibration: Iterable[Array],
        spec: ModelSpec,  # noqa: ARG002
    ) -> Exported:
        """Convert, quantise when the recipe says so, count what the delegate takes."""
        import litert_torch
        import torch
        from ai_edge_litert.interpreter import Interpreter

        image = torch.from_numpy(example)
        program = torch.export.export(module, (image,))
        bare_constants(program)
        graph = program.module()
        rewrites = {
            "concatenations split": split_shuffled_cats(graph, _WIDEST_CAT),
            "pools padded with zeros": pad_pools_with_zeros(graph),
        }
        traced: nn.Module = graph
        if self.layout == "NHWC":
            traced = litert_torch.to_channel_last_io(traced, args=[0])
            image = image.permute(0, 2, 3, 1).contiguous()
        with torch.no_grad():
            data = bytes(litert_torch.convert(traced, (image,)).model_content())
        if recipe.precision != "fp32":
            data = quantise(data, recipe.precision, self._inputs(calibration))
        interpreter = Interpreter(model_content=data, num_threads=1)
        interpreter.allocate_tensors()
        names = interpreter.get_signature_list()[SIGNATURE]
        return Exported(
            data,
            self.layout,
            names["inputs"][0],
            names["outputs"][0],
            count_delegated(interpreter._get_ops_details()),  # noqa: SLF001
            {what: count for what, count in rewrites.items() if count},
        )

    def load(self, path: Path, threads: int) -> LiteRTRunner:
        """Open a `.tflite`; `UserError` when it is damaged or not one."""
        check_magic(path, b"TFL3", "a LiteRT model")
        with converting(f"loading {path}", None, "export it again"):
            return LiteRTRunner(path, threads)

    def inspect(
        self,
        path: Path,  # noqa: ARG002
        module: nn.Module,  # noqa: ARG002
        recipe: Recipe,  # noqa: ARG002
    ) -> None:
        """Nothing: parity and task metrics are measured on the running file."""
        return

    def _inputs(self, calibration: Iterable[Array]) -> Iterable[Array]:
        for image in calibration:
            yield np.ascontiguousarray(
                image.transpose(0, 2, 3, 1) if self.layout == "NHWC" else image
            )


def layout_of(shape: Sequence[int]) -> str:
    """`NCHW` or `NHWC`, from where the three colours of a four-sided shape stand."""
    if len(shape) == 4 and shape[1] == 3:
        return "NCHW"
    if len(shape) == 4 and shape[3] == 3:
        return "NHWC"
    raise UserError(f"input shape {tuple(shape)} holds no RGB image; export a model of images")


register_backend(LiteRT())
