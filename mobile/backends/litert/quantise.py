"""Smaller numbers in a float32 `.tflite`, by ai-edge-quantizer.

* `int8`, `16x8`: a full-integer graph (weights per output channel, activations per tensor) between
  one QUANTIZE of the float32 input and one DEQUANTIZE of the output: a uint8 input would make CAST
  the first operator, which GPU delegates refuse. Of `int8`, `floats` are left out;
* `int8 weights`, `fp16 weights`: stored so, computed in float32.
"""

from __future__ import annotations

from collections.abc import Iterable

from mobile.backend import Array
from mobile.backends.litert.floats import float_operators

SIGNATURE = "serving_default"
_BITS = {"int8": 8, "16x8": 16}


def quantise(data: bytes, precision: str, images: Iterable[Array]) -> bytes:
    """The file `data` in `precision`.

    Static precisions are calibrated on `images`, as the file takes them; others do not read them.
    """
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import quantizer

    if precision in _BITS:
        manager = _static(_BITS[precision], float_operators(data) if precision == "int8" else "")
    else:
        manager = _weights(precision)
    work = quantizer.Quantizer(bytearray(data), manager.get_quantization_recipe())
    statistics = None
    if precision in _BITS:
        names = Interpreter(model_content=data).get_signature_list()[SIGNATURE]["inputs"]
        # A list: the quantizer walks over its samples more than once.
        samples = [{names[0]: image} for image in images]
        statistics = work.calibrate({SIGNATURE: samples}, num_threads=1)
    result = work.quantize(statistics, enable_progress_report=False)
    return bytes(result.quantized_model)


def _static(bits: int, floats: str):  # type: ignore[no-untyped-def]  # its package has no types
    from ai_edge_quantizer import qtyping, recipe_manager

    operators = qtyping.TFLOperationName
    manager = recipe_manager.RecipeManager()
    manager.add_static_config(
        regex=".*",
        operation_name=operators.ALL_SUPPORTED,
        activation_num_bits=bits,
        weight_num_bits=8,
    )
    for float_end in (operators.INPUT, operators.OUTPUT):
        manager.add_quantization_config(".*", float_end, None, "no_quantize")
    if floats:
        manager.add_quantization_config(floats, operators.ALL_SUPPORTED, None, "no_quantize")
    return manager


def _weights(precision: str):  # type: ignore[no-untyped-def]
    from ai_edge_quantizer import qtyping, recipe_manager

    manager = recipe_manager.RecipeManager()
    algorithm = recipe_manager.AlgorithmName
    bits, how = {
        "fp16 weights": (16, algorithm.FLOAT_CASTING),
        "int8 weights": (8, algorithm.MIN_MAX_UNIFORM_QUANT),
    }[precision]
    manager.add_weight_only_config(
        regex=".*",
        operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
        num_bits=bits,
        algorithm_key=how,
    )
    return manager
