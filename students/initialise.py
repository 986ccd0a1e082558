"""How a decoder starts, whatever its backbone starts from."""

from __future__ import annotations

import math
from typing import Literal

from torch import nn

Init = Literal["authors", "kaiming"]

BASE_RATE = 0.05
"""About the mean of a fixation map: where an untrained map had better start."""


def initialise(student: nn.Module, init: Init) -> None:
    """Initialise all but the backbone; the last layer is called `head` or `merger`.

    `authors`: N(0, 0.01) for every weight, batch-norm scales included, biases 0 (FastSal's code;
    the paper is silent). `kaiming`: He normal for convolutions, batch-norm scales 1, and a last
    layer that starts at a flat map of `BASE_RATE`: trains from scratch, too.
    """
    if init not in ("authors", "kaiming"):
        raise ValueError(f"init is 'authors' or 'kaiming', got {init!r}")
    for name, parameter in student.named_parameters():
        if name.startswith("backbone."):
            continue
        if init == "kaiming" and name in ("head.bias", "merger.bias"):
            nn.init.constant_(parameter, math.log(BASE_RATE / (1 - BASE_RATE)))
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
        elif init == "authors" or name.startswith(("head.", "merger.")):
            nn.init.normal_(parameter, 0.0, 0.01)
        elif parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter, mode="fan_out", nonlinearity="relu")
        else:
            nn.init.ones_(parameter)
