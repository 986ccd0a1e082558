"""ExecuTorch: `.pte` programs on the XNNPACK delegate, float32 and static int8 (`quantise`).

XNNPACK runs convolutions, additions and concatenations in int8; PixelShuffle and bilinear
upsampling in float between a dequantise and a quantise node. Input and output stay float32.

There is no fp16 recipe: XNNPACK's serialiser keeps the weights of float16 convolutions in float32,
so that such a file is as large as `executorch_fp32`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobile.backend import (
    Array,
    Exported,
    check_image,
    check_magic,
    failed,
    register_backend,
)
from mobile.backends.executorch.delegation import count_delegated
from mobile.quiet import converting
from mobile.recipes import Recipe, register
from mobile.rewrites import bare_constants

if TYPE_CHECKING:
    import torch
    from torch import nn

    from students import ModelSpec

register(
    Recipe(
        name="executorch_fp32",
        backend="executorch",
        precision="fp32",
        suffix=".pte",
        calibrated=False,
        max_abs=1e-3,
        min_cc=0.9999,
        summary="ExecuTorch on XNNPACK, float32",
    )
)
register(
    Recipe(
        name="executorch_int8",
        backend="executorch",
        precision="int8",
        suffix=".pte",
        calibrated=True,
        max_abs=None,
        min_cc=0.98,
        summary="ExecuTorch on XNNPACK, static int8, weights per channel",
    )
)


class ExecuTorchRunner:
    """One loaded `.pte`.

    The runtime has one thread pool per process: `threads` of the runner loaded last holds for
    every runner of the process. Latency is therefore measured in a process of its own.
    """

    def __init__(self, path: Path, threads: int) -> None:
        import torch

        # Not `executorch.runtime`, which wraps this module and imports the whole exporter first.
        from executorch.extension.pybindings import _C

        # The only handle on the pool that the Python runtime has; safe before any execution.
        _C._unsafe_reset_threadpool(threads)  # noqa: SLF001
        self.path = path
        self.threads = _C._threadpool_get_thread_count()  # noqa: SLF001
        self._from_numpy = torch.from_numpy
        self._program = _C._load_program(  # noqa: SLF001
            str(path), program_verification=_C.Verification.InternalConsistency
        )
        self._method: Any = self._program.load_method("forward")
        self.shape = tuple(self._method.method_meta().input_tensor_meta(0).sizes())

    def prepare(self, image: Array) -> torch.Tensor:
        """`image` (1, 3, H, W) as the tensor the program takes."""
        check_image(image, self.shape, self.path)
        return self._from_numpy(np.ascontiguousarray(image))

    def invoke(self, prepared: Any) -> Array:
        """Run once."""
        try:
            result: Array = self._method([prepared])[0].numpy()
        except RuntimeError as error:
            raise failed(self.path, error) from error
        return result

    def run(self, image: Array) -> Array:
        """`image` (1, 3, H, W) -> (1, 1, H, W)."""
        return self.invoke(self.prepare(image))


class ExecuTorch:
    """Exports to and runs `.pte`."""

    name = "executorch"
    suffix = ".pte"
    runtime = "executorch"
    modules: tuple[str, ...] = ("torch", "executorch.extension.pybindings._C")
    packages: tuple[str, ...] = ("torch", "executorch", "torchao")

    def refusal(self) -> str | None:
        """Runs wherever its package installs."""
        return None

    def executor(self) -> str:
        """The runtime that apps ship, too."""
        return "ExecuTorch"

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
        """Trace, quantise when the recipe says so, lower to XNNPACK, serialise."""
        import torch
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
        from executorch.exir import to_edge_transform_and_lower

        inputs = (torch.from_numpy(example),)
        with torch.no_grad():
            if recipe.precision == "int8":
                from mobile.backends.executorch.quantise import quantise

                module = quantise(module, inputs, calibration)
            program = torch.export.export(module, inputs)
            bare_constants(program)
            lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
            delegation = count_delegated(lowered.exported_program().graph_module)
            data = bytes(lowered.to_executorch().buffer)
        return Exported(data, "NCHW", "images", "output", delegation)

    def load(self, path: Path, threads: int) -> ExecuTorchRunner:
        """Open a `.pte`; `UserError` when it is damaged or not one."""
        check_magic(path, b"ET12", "an ExecuTorch program")
        with converting(f"loading {path}", None, "export it again"):
            return ExecuTorchRunner(path, threads)

    def inspect(
        self,
        path: Path,  # noqa: ARG002
        module: nn.Module,  # noqa: ARG002
        recipe: Recipe,  # noqa: ARG002
    ) -> None:
        """Nothing: parity and task metrics are measured on the running file."""
        return


register_backend(ExecuTorch())
