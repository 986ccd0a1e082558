"""What a file says of itself, for files whose own runtime may not be where they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobile import integrity
from mobile.backend import get_backend
from mobile.export import exported_form
from mobile.quiet import converting
from mobile.recipes import Recipe

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Port:
    """An input or output as the file declares it."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Weights:
    """A file's weights beside torch's, batch normalisation folded on both sides."""

    matched: int
    """Layers (convolutions, linear ones) whose weight and bias are torch's up to rounding."""
    total: int
    """Such layers of the file."""
    values: int
    """Numbers compared, biases included."""
    stored: Mapping[str, int]
    """Layers by the type their weight is stored in."""
    largest_error: float | None
    """Largest difference of any value, relative to the largest value of its tensor or, if that is
    larger, to fp16's smallest normal number; None where the file holds a value that is not finite.
    """


@dataclass(frozen=True)
class Inspection:
    """Everything read from a file without running it."""

    kind: str
    """What the file is, e.g. `ML Program`."""
    target: str
    """Oldest system that loads it."""
    bytes: int
    inputs: Sequence[Port]
    outputs: Sequence[Port]
    operators: Mapping[str, int]
    """Operators with their counts."""
    computed: Mapping[str, int]
    """Operators by the type of their result."""
    weights: Weights
    problems: Sequence[str]
    """Whatever is not as it should be, one line each; empty when sound."""

    def row(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


def inspect(path: Path, student: nn.Module, recipe: Recipe) -> Inspection | None:
    """Read the exported file `path` and compare it with the `student` it was made from.

    None where the backend's own runtime runs every file it makes. Raises `UserError` when the file
    is damaged.
    """
    integrity.check(path)
    with converting(f"inspecting {path}", None, "export it again"):
        return get_backend(recipe.backend).inspect(path, exported_form(path, student), recipe)
