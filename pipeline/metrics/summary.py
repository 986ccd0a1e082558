"""From scores per image to means: what was undefined is left out, and counted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class MetricMean:
    """Mean of one metric over the images it is defined on."""

    mean: float
    """NaN if no image defines the metric."""
    images: int
    """Images the mean runs over."""
    undefined: int
    """Images left out, for instance for want of a fixation."""

    @classmethod
    def from_values(cls, values: Tensor) -> MetricMean:
        """Mean of `(N,)` scores; NaN means undefined and is left out."""
        defined = values.double()[~values.isnan()]
        mean = defined.mean().item() if defined.numel() else math.nan
        return cls(mean, defined.numel(), values.numel() - defined.numel())

    def row(self) -> dict[str, float | int | None]:
        """As JSON, where an undefined mean is null."""
        return asdict(self) | {"mean": _json_number(self.mean)}


def concatenate(batches: Iterable[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Scores of all batches as one `(N,)` tensor on the host per metric, in order.

    Raises `ValueError` if the batches do not hold the same metrics.
    """
    parts: dict[str, list[Tensor]] = {}
    for number, batch in enumerate(batches):
        if number and parts.keys() != batch.keys():
            raise ValueError(f"batch {number} has {sorted(batch)}, those before {sorted(parts)}")
        for name, values in batch.items():
            parts.setdefault(name, []).append(values.cpu())
    return {name: torch.cat(values) for name, values in parts.items()}


def summarise(scores: Mapping[str, Tensor]) -> dict[str, MetricMean]:
    """One `MetricMean` per metric from its `(N,)` scores."""
    return {name: MetricMean.from_values(values) for name, values in scores.items()}


def per_image_rows(
    ids: Sequence[str], scores: Mapping[str, Tensor]
) -> list[dict[str, str | float | None]]:
    """One JSON row per image: its id and its scores, null where undefined.

    Raises `ValueError` if a metric has not one score per id.
    """
    columns: dict[str, list[float]] = {name: values.tolist() for name, values in scores.items()}
    for name, column in columns.items():
        if len(column) != len(ids):
            raise ValueError(f"{len(column)} scores of {name} for {len(ids)} images")
    return [
        {"id": image, **{name: _json_number(column[index]) for name, column in columns.items()}}
        for index, image in enumerate(ids)
    ]


def _json_number(value: float) -> float | None:
    return value if math.isfinite(value) else None
