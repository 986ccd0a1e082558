"""How close two renderings of one model are: reference (eager) against candidate (exported)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.generic]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Parity:
    """Distance of a candidate's output from the reference, over all values given."""

    sqnr_db: float
    """Signal to quantisation noise, 10 log10(sum ref² / sum (ref - cand)²), dB; inf if equal."""
    cosine: float
    """Cosine of the two as vectors; 1 if identical, else NaN where either is all zero."""
    max_abs: float
    """Largest absolute difference, in the unit of the output."""
    pearson: float
    """Linear correlation; 1 if identical, else NaN where either is constant."""

    @classmethod
    def from_arrays(cls, reference: Array | Tensor, candidate: Array | Tensor) -> Parity:
        """Compare two arrays or tensors of one shape, sums in float64.

        Raises `ValueError` for unequal or empty shapes, `UserError` for NaN or infinite values.
        """
        ref, cand = _pair(reference, candidate)
        error = ref - cand
        identical = not error.any()
        return cls(
            sqnr_db=_decibels(_power(ref), _power(error)),
            cosine=1.0 if identical else _cosine(ref, cand),
            max_abs=float(np.abs(error).max()),
            pearson=1.0 if identical else _pearson(ref, cand),
        )

    def row(self) -> dict[str, float | None]:
        """As JSON, where a value that is not finite is null."""
        return {key: value if math.isfinite(value) else None for key, value in asdict(self).items()}


@dataclass(frozen=True)
class BatchParity:
    """Parity of a batch of outputs: pooled, and image by image."""

    overall: Parity
    """All values of all images as one vector."""
    images: tuple[Parity, ...]
    """One entry per image, in order."""

    @classmethod
    def from_arrays(cls, reference: Array | Tensor, candidate: Array | Tensor) -> BatchParity:
        """Compare two batches whose first axis counts images. Errors as in `Parity.from_arrays`."""
        overall = Parity.from_arrays(reference, candidate)
        pairs = zip(reference, candidate, strict=True)
        return cls(overall, tuple(Parity.from_arrays(ref, cand) for ref, cand in pairs))

    @property
    def worst(self) -> Parity:
        """The worst value of each field over the images; they may come from different images.

        NaN if any image has NaN, so that a gate on it fails.
        """
        columns = {field.name: _column(self.images, field.name) for field in fields(Parity)}
        largest = float(np.max(columns.pop("max_abs")))
        lowest = {name: float(np.min(column)) for name, column in columns.items()}
        return Parity(max_abs=largest, **lowest)


def _column(images: tuple[Parity, ...], name: str) -> Floats:
    return np.array([getattr(image, name) for image in images], dtype=np.float64)


def _pair(reference: Array | Tensor, candidate: Array | Tensor) -> Iterator[Floats]:
    """Both as flat float64 arrays, checked."""
    if tuple(reference.shape) != tuple(candidate.shape):
        raise ValueError(
            f"reference {tuple(reference.shape)} and candidate {tuple(candidate.shape)} "
            "must have the same shape"
        )
    for name, values in (("reference", reference), ("candidate", candidate)):
        flat = _flat(values)
        if flat.size == 0:
            raise ValueError(f"nothing to compare: the {name} is empty")
        if not np.isfinite(flat).all():
            bad = int((~np.isfinite(flat)).sum())
            raise UserError(
                f"the {name} output has {bad} of {flat.size} values NaN or infinite; "
                "float16 overflow or an unsupported operator does this: check in float32 first"
            )
        yield flat


def _flat(values: Array | Tensor) -> Floats:
    if not isinstance(values, np.ndarray | np.generic):
        values = values.detach().cpu().double().numpy()
    return np.asarray(values, dtype=np.float64).ravel()


def _power(values: Floats) -> float:
    return float(np.dot(values, values))


def _decibels(signal: float, noise: float) -> float:
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal > 0 else -math.inf


def _cosine(first: Floats, second: Floats) -> float:
    norms = math.sqrt(_power(first)) * math.sqrt(_power(second))
    return float(np.dot(first, second)) / norms if norms > 0 else math.nan


def _pearson(first: Floats, second: Floats) -> float:
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return math.nan
    return _cosine(first - first.mean(), second - second.mean())
