"""LiteRT: `.tflite` models on the XNNPACK delegate, float32 and static int8.

int8 is a full-integer graph (weights per output channel, activations per tensor) between one
QUANTIZE of the float32 input and one DEQUANTIZE of the output: a uint8 input would make CAST the
first operator, which GPU delegates refuse.

Files take NHWC: on FastSal as fast as NCHW within noise, with one TRANSPOSE less, and the order in
which cameras and browsers hand over pixels.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
from mobile.quiet import converting
from mobile.recipes import Recipe, register
from mobile.rewrites import split_shuffled_cats
from pipeline.errors import UserError

if TYPE_CHECKING:
    from torch import nn

    from students import ModelSpec

_SIGNATURE = "serving_default"
# XNNPACK takes concatenations of up to five tensors and leaves wider ones to the interpreter.
_WIDEST_CAT = 5

register(
    Recipe(
        name="litert_fp32",
        backend="litert",
        precision="fp32",
        suffix=".tflite",
        calibrated=False,
        max_abs=1e-3,
        min_cc=0.9999,
        summary="LiteRT on XNNPACK, float32",
    )
)
register(
    Recipe(
        name="litert_int8",
        backend="litert",
        precision="int8",
        suffix=".tflite",
        calibrated=True,
        max_abs=None,
        min_cc=0.98,
        summary="LiteRT on XNNPACK, static int8, weights per channel, float32 input and output",
    )
)


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
        graph = torch.export.export(module, (image,)).module()
        split_shuffled_cats(graph, _WIDEST_CAT)
        traced: nn.Module = graph
        if self.layout == "NHWC":
            traced = litert_torch.to_channel_last_io(traced, args=[0])
            image = image.permute(0, 2, 3, 1).contiguous()
        with torch.no_grad():
            data = bytes(litert_torch.convert(traced, (image,)).model_content())
        if recipe.precision == "int8":
            data = _quantise(data, self._inputs(calibration))
        interpreter = Interpreter(model_content=data, num_threads=1)
        interpreter.allocate_tensors()
        names = interpreter.get_signature_list()[_SIGNATURE]
        return Exported(
            data,
            self.layout,
            names["inputs"][0],
            names["outputs"][0],
            count_delegated(interpreter._get_ops_details()),  # noqa: SLF001
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


def _quantise(data: bytes, images: Iterable[Array]) -> bytes:
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import qtyping, quantizer, recipe_manager

    operators = qtyping.TFLOperationName
    manager = recipe_manager.RecipeManager()
    manager.add_static_config(
        regex=".*",
        operation_name=operators.ALL_SUPPORTED,
        activation_num_bits=8,
        weight_num_bits=8,
    )
    for float_end in (operators.INPUT, operators.OUTPUT):
        manager.add_quantization_config(".*", float_end, None, "no_quantize")
    names = Interpreter(model_content=data).get_signature_list()[_SIGNATURE]["inputs"]
    work = quantizer.Quantizer(bytearray(data), manager.get_quantization_recipe())
    # A list: the quantizer walks over its samples more than once.
    samples = [{names[0]: image} for image in images]
    statistics = work.calibrate({_SIGNATURE: samples}, num_threads=1)
    result = work.quantize(statistics, enable_progress_report=False)
    return bytes(result.quantized_model)


def layout_of(shape: Sequence[int]) -> str:
    """`NCHW` or `NHWC`, from where the three colours of a four-sided shape stand."""
    if len(shape) == 4 and shape[1] == 3:
        return "NCHW"
    if len(shape) == 4 and shape[3] == 3:
        return "NHWC"
    raise UserError(f"input shape {tuple(shape)} holds no RGB image; export a model of images")


def count_delegated(details: Sequence[Mapping[str, Any]]) -> Delegation:
    """Count operators that delegate nodes replaced, from an interpreter's list of nodes.

    The list keeps replaced operators beside the DELEGATE nodes. What a DELEGATE node replaced is
    what its outputs need, followed backwards to its inputs.
    """
    operators = [d for d in details if d["op_name"] != "DELEGATE"]
    delegates = [d for d in details if d["op_name"] == "DELEGATE"]
    producer = {int(t): d["index"] for d in operators for t in d["outputs"]}
    by_index = {d["index"]: d for d in operators}
    replaced: set[int] = set()
    for delegate in delegates:
        inputs = {int(t) for t in delegate["inputs"]}
        pending = [int(t) for t in delegate["outputs"]]
        while pending:
            index = producer.get(pending.pop())
            if index is None or index in replaced:
                continue
            replaced.add(index)
            pending += [int(t) for t in by_index[index]["inputs"] if int(t) not in inputs]
    left = Counter(str(d["op_name"]) for d in operators if d["index"] not in replaced)
    return Delegation(
        delegate="XNNPACK",
        unit="LiteRT operators",
        delegated=len(replaced),
        total=len(operators),
        partitions=len(delegates),
        undelegated=dict(sorted(left.items())),
    )


register_backend(LiteRT())
