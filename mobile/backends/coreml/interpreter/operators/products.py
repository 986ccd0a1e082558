"""Linear layers, matrix products, attention."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mobile.backends.coreml.interpreter.registry import Given, operator


@operator("linear")
def linear(given: Given) -> Tensor:
    """X · weightᵀ + bias over the last axis."""
    return F.linear(given.tensor("x"), given.tensor("weight"), given.optional("bias"))


@operator("matmul")
def matmul(given: Given) -> Tensor:
    """A product of stacks of matrices, either one transposed if asked for."""
    x, y = given.tensor("x"), given.tensor("y")
    if given.flag("transpose_x", False) and x.dim() > 1:
        x = x.transpose(-1, -2)
    if given.flag("transpose_y", False) and y.dim() > 1:
        y = y.transpose(-1, -2)
    return x @ y


@operator("einsum")
def einsum(given: Given) -> Tensor:
    """Einstein's summation as its `equation` says."""
    result: Tensor = torch.einsum(given.text("equation", ""), *given.tensors("values"))
    return result


@operator("scaled_dot_product_attention")
def attention(given: Given) -> Tensor:
    """softmax(query · keyᵀ / √E + mask) · value."""
    query, key = given.tensor("query"), given.tensor("key")
    scores: Tensor = query @ key.transpose(-1, -2) / float(query.shape[-1]) ** 0.5
    mask = given.optional("attn_mask")
    if mask is not None:
        bar = mask.dtype == torch.bool
        scores = scores.masked_fill(~mask, float("-inf")) if bar else scores + mask
    return scores.softmax(-1) @ given.tensor("value")
