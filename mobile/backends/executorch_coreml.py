"""ExecuTorch programs that hand their graph to Core ML: `.pte` files for Apple's systems.

ExecuTorch's Core ML delegate lowers anywhere, because it only wraps what coremltools converts; the
delegate itself is part of ExecuTorch on Apple's systems. No interpreter reaches into such a file:
`coreml_fp16` is the same program in the open.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mobile.backend import Array, Exported, Runner, check_magic, get_backend, register_backend
from mobile.recipes import Recipe, register
from pipeline.errors import UserError

if TYPE_CHECKING:
    from torch import nn

    from students import ModelSpec

register(
    Recipe(
        name="executorch_coreml",
        backend="executorch_coreml",
        precision="fp16",
        suffix=".coreml.pte",
        calibrated=False,
        max_abs=2.0,
        min_cc=0.999,
        summary="ExecuTorch on Core ML, float16, iOS 16",
    )
)


class ExecuTorchCoreML:
    """Exports to `.coreml.pte`; runs on Apple's systems only."""

    name = "executorch_coreml"
    suffix = ".coreml.pte"
    runtime = "executorch"
    modules: tuple[str, ...] = ("torch", "executorch.extension.pybindings._C")
    packages: tuple[str, ...] = ("torch", "executorch", "coremltools")

    def refusal(self) -> str | None:
        """The delegate is built for Apple's systems only."""
        if platform.system() == "Darwin":
            return None
        here = platform.system()
        return f"ExecuTorch's Core ML delegate runs on Apple's systems only, this is {here}"

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
        recipe: Recipe,  # noqa: ARG002
        calibration: Iterable[Array],  # noqa: ARG002
        spec: ModelSpec,  # noqa: ARG002
    ) -> Exported:
        """Trace, lower to Core ML in fp16, serialise."""
        import coremltools
        import torch
        from executorch.backends.apple.coreml.compiler import CoreMLBackend
        from executorch.backends.apple.coreml.partition import CoreMLPartitioner
        from executorch.exir import to_edge_transform_and_lower

        from mobile.backends.executorch import count_delegated

        specs = CoreMLBackend.generate_compile_specs(
            compute_precision=coremltools.precision.FLOAT16,
            minimum_deployment_target=coremltools.target.iOS16,
        )
        with torch.no_grad():
            program = torch.export.export(module, (torch.from_numpy(example),))
            partitioner = CoreMLPartitioner(compile_specs=specs)
            lowered = to_edge_transform_and_lower(program, partitioner=[partitioner])
            delegation = count_delegated(lowered.exported_program().graph_module, "Core ML")
            data = bytes(lowered.to_executorch().buffer)
        return Exported(data, "NCHW", "images", "output", delegation)

    def load(self, path: Path, threads: int) -> Runner:
        """Open a `.coreml.pte`; `UserError` when it is damaged, or not on Apple's systems."""
        check_magic(path, b"ET12", "an ExecuTorch program")
        reason = self.refusal()
        if reason:
            raise UserError(f"{path} cannot be executed on this machine: {reason}")
        return get_backend("executorch").load(path, threads)

    def inspect(
        self,
        path: Path,  # noqa: ARG002
        module: nn.Module,  # noqa: ARG002
        recipe: Recipe,  # noqa: ARG002
    ) -> None:
        """Nothing: the program inside is compiled for Core ML's own reader."""
        return


register_backend(ExecuTorchCoreML())
