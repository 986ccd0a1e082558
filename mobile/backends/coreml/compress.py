"""Smaller Core ML programs: weights as int8 or palettes, activations as int8."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from mobile.backend import Array
from mobile.backends.coreml.package import LEAST_QUANTISED

if TYPE_CHECKING:
    import torch
    from torch import nn

    from mobile.recipes import Precision

_BITS = {"palette6": 6, "palette4": 4}


def weights(model: Any, precision: Precision) -> Any:
    """A converted `model` with its large weights stored as `precision` says."""
    from coremltools.optimize import coreml

    least = LEAST_QUANTISED - 1
    if precision == "int8 weights":
        affine = coreml.OpLinearQuantizerConfig(
            mode="linear_symmetric", dtype="int8", granularity="per_channel",
            weight_threshold=least,
        )  # fmt: skip
        how = coreml.OptimizationConfig(global_config=affine)
        return coreml.linear_quantize_weights(model, how)
    if precision in _BITS:
        # One palette a layer is all that iOS 16 knows; the k-means behind it is exact in one
        # dimension, so the same weights give the same palettes.
        palette = coreml.OpPalettizerConfig(
            mode="kmeans", nbits=_BITS[precision], granularity="per_tensor",
            weight_threshold=least,
        )  # fmt: skip
        how = coreml.OptimizationConfig(global_config=palette)
        return coreml.palettize_weights(model, how)
    return model


def activations(
    module: nn.Module, example: torch.Tensor, calibration: Iterable[Array]
) -> nn.Module:
    """`module` with int8 weights per channel and int8 activations in the ranges of `calibration`.

    coremltools' own rules of what Core ML runs in int8, on torch's exported graph: its quantiser of
    modules would have to trace the student symbolically, which checks of its input's size forbid.
    """
    import torch
    from coremltools.optimize.torch.quantization import LinearQuantizerConfig
    from executorch.backends.apple.coreml.quantizer import CoreMLQuantizer
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    settings = {
        "quantization_scheme": "symmetric",
        "weight_dtype": torch.qint8,
        "activation_dtype": torch.quint8,
        "weight_per_channel": True,
    }
    quantiser = CoreMLQuantizer(LinearQuantizerConfig.from_dict({"global_config": settings}))
    watched = prepare_pt2e(torch.export.export(module, (example,)).module(), quantiser)
    with torch.no_grad():
        for image in calibration:
            watched(torch.from_numpy(np.ascontiguousarray(image)))
    converted: nn.Module = convert_pt2e(watched)
    return converted
