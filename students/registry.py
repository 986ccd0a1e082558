"""Model registry and the metadata every model carries.

A model is a function that builds it, registered under its name together with its `ModelSpec`;
export, apps and documentation read the spec, so nobody types a mean twice.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import nn

Builder = Callable[..., nn.Module]


@dataclass(frozen=True)
class ModelSpec:
    """What a model needs and gives.

    `mean` and `std` are in 0-255 units and RGB order: every model takes RGB images of 0-255 and
    normalises them in its own forward. Input sides must be multiples of `multiple_of`, of `least`.
    """

    name: str
    task: str
    height: int
    width: int
    multiple_of: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    output: str
    """What the numbers mean: `logits`, `log-density`, …"""
    least: int = field(default=1, kw_only=True)
    """Fewest pixels a side, where an architecture needs more than one multiple."""
    source: str
    """Paper, section and the public code it was checked against."""


class Registry:
    """Names to builders and specs, filled by the `register` decorator."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._builders: dict[str, Builder] = {}
        self._specs: dict[str, ModelSpec] = {}

    def register(self, spec: ModelSpec) -> Callable[[Builder], Builder]:
        """Register the decorated builder under `spec.name`."""

        def add(builder: Builder) -> Builder:
            if spec.name in self._builders:
                raise ValueError(f"{self.kind} {spec.name!r} is registered twice")
            self._builders[spec.name] = builder
            self._specs[spec.name] = spec
            return builder

        return add

    def names(self) -> list[str]:
        """Every registered name, sorted."""
        return sorted(self._builders)

    def spec(self, name: str) -> ModelSpec:
        """Metadata of `name`. Raises `ValueError` with the nearest name when unknown."""
        self._require(name)
        return self._specs[name]

    def build(self, name: str, **overrides: Any) -> nn.Module:
        """A freshly initialised model. Raises `ValueError` with the nearest name when unknown."""
        self._require(name)
        return self._builders[name](**overrides)

    def _require(self, name: str) -> None:
        if name in self._builders:
            return
        near = difflib.get_close_matches(name, self._builders, n=1, cutoff=0.0)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"no {self.kind} is called {name!r}{hint} Known: {', '.join(self.names())}"
        )
