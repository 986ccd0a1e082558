"""Quick passes over large tensors."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_BYTES = 8  # looked at together


def places(values: Tensor) -> NDArray[np.int64]:
    """Indices `(K,)` at which `values` `(N,)` of any dtype is not 0, increasing.

    What `nonzero` gives, but two to eight values at a time: most places hold none.
    """
    each = _BYTES // values.element_size()
    whole = len(values) // each * each
    if not values.is_contiguous() or values.data_ptr() % _BYTES:
        whole = 0
    words = values[:whole].view(torch.int64).nonzero().flatten()
    row, column = values[:whole].view(-1, each)[words].nonzero(as_tuple=True)
    rest = values[whole:].nonzero().flatten() + whole
    found: NDArray[np.int64] = torch.cat([words[row] * each + column, rest]).cpu().numpy()
    return found


def log_(values: Tensor) -> Tensor:
    """Natural logarithm in place of contiguous positive float64.

    On a processor it is numpy's, which takes a third of the time of torch's where AVX-512 is.
    """
    if values.device.type != "cpu":
        return values.log_()
    array = values.numpy()
    np.log(array, out=array)
    return values
