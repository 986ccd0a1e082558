"""Static int8 for XNNPACK: weights per output channel, activations per tensor, in five choices.

* ranges are means over images (`ranges`), or their extremes where those come out better;
* every input of a concatenation keeps a scale of its own up to the concatenation. The quantiser's
  default gives one to all, so that a tap with a narrow range would be stored, and go on through
  the backbone, in the steps of the widest;
* a cheap last convolution stays in float (`tail`), and so do normalisations (`normalisations`);
* biases are corrected (`bias`).

PixelShuffle is left to run in float between a dequantise and a quantise: as an int8 transposition
it was slower (XNNPACK on x86: FastSal (A) 7.6 ms against 7.0).
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
    XNNPACKQuantizer,
    get_symmetric_quantization_config,
)
from torch import Tensor, nn
from torch.fx import GraphModule
from torchao.quantization.pt2e import MinMaxObserver
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
from torchao.quantization.pt2e.quantizer.quantizer import Q_ANNOTATION_KEY

from mobile.backend import Array
from mobile.backends.executorch.bias import correct_biases
from mobile.backends.executorch.normalisations import normalisations
from mobile.backends.executorch.ranges import MeanRange
from mobile.backends.executorch.scales import widen
from mobile.backends.executorch.shared import unshare
from mobile.backends.executorch.tail import float_tail
from mobile.rewrites import bare_constants

SMALLEST_SCALE = 2**-12
CORRECTED_ON = 24
"""Images whose channel means correct the biases."""


class Int8(XNNPACKQuantizer):  # type: ignore[misc]  # its package has no types
    """XNNPACK's quantiser with scales of their own at concatenations, and a float tail."""

    def annotate(self, model: GraphModule) -> GraphModule:
        """Mark what is observed."""
        annotated: GraphModule = super().annotate(model)
        for node in annotated.graph.nodes:
            if node.target is torch.ops.aten.cat.default and Q_ANNOTATION_KEY in node.meta:
                node.meta[Q_ANNOTATION_KEY].allow_implicit_sharing = False
        for node in (*float_tail(annotated), *normalisations(annotated)):
            node.meta.pop(Q_ANNOTATION_KEY, None)
        return annotated


def quantise(
    module: nn.Module, inputs: tuple[Tensor, ...], calibration: Iterable[Array]
) -> GraphModule:
    """The int8 graph of an eval-mode `module`, calibrated on (1, 3, H, W) float32 images.

    Of both kinds of ranges the one whose outputs are nearer to float's on calibration images.
    """
    program = torch.export.export(module, inputs)
    bare_constants(program)
    graph = program.module()
    unshare(graph)
    candidates = [
        prepare_pt2e(copy.deepcopy(graph), Int8().set_global(_configuration(ranges)))
        for ranges in (MeanRange, MinMaxObserver)
    ]
    kept: list[Tensor] = []
    for image in calibration:
        tensor = torch.from_numpy(np.ascontiguousarray(image))
        for prepared in candidates:
            prepared(tensor)
        if len(kept) < CORRECTED_ON:
            kept.append(tensor)
    wanted = [graph(image) for image in kept]
    return min(
        (_converted(each, kept) for each in candidates), key=lambda g: _error(g, kept, wanted)
    )


def _converted(prepared: GraphModule, images: list[Tensor]) -> GraphModule:
    widen(prepared)
    observed = copy.deepcopy(prepared)  # converting consumes it
    converted: GraphModule = convert_pt2e(prepared)
    correct_biases(converted, observed, images)
    return converted


@torch.no_grad()
def _error(quantised: GraphModule, images: list[Tensor], wanted: list[Tensor]) -> float:
    """Mean squared difference of the maps, which the sigmoid of the outputs are."""
    pairs = zip(images, wanted, strict=True)
    return sum(
        float((quantised(image).sigmoid() - output.sigmoid()).square().mean())
        for image, output in pairs
    )


def _configuration(ranges: type[MinMaxObserver]) -> Any:
    given = get_symmetric_quantization_config(is_per_channel=True)
    activation = dataclasses.replace(
        given.output_activation,
        observer_or_fake_quant_ctr=ranges.with_args(eps=SMALLEST_SCALE),
    )
    return dataclasses.replace(given, input_activation=activation, output_activation=activation)
