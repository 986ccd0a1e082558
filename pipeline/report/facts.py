"""Everything the page says, read once, before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.config import Config

STUDENT = "student"
"""Name of the student, in torch, among the evaluated predictors."""
PRIOR = "mean map"
"""Name of the predictor that does not look at images."""
TEACHER = "teacher "
"""Prefix of the teachers' names."""

Means = Mapping[str, float]
"""Metric -> mean over the validation images."""
_BACKENDS = {"executorch": "ExecuTorch", "litert": "LiteRT", "coreml": "Core ML"}


@dataclass(frozen=True)
class Loss:
    """One metric of a file beside torch's; `low` and `high` bound the mean difference at 95 %."""

    file: float
    torch: float
    difference: float
    low: float
    high: float

    @property
    def relative(self) -> float | None:
        """Difference as a share of torch's value; None where that is 0."""
        return self.difference / abs(self.torch) if self.torch else None


@dataclass(frozen=True)
class Timing:
    """A latency row with its ratio to torch's, where the two may be compared."""

    row: Mapping[str, Any]
    """Fields of `mobile.latency_row.LatencyRow`."""
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    refused: str | None = None
    """Why there is no ratio."""


@dataclass(frozen=True)
class File:
    """One exported file and all that was measured on it."""

    recipe: str
    backend: str
    precision: str
    summary: str
    bytes: int
    sha256: str
    delegate: str
    delegated: int
    nodes: int
    partitions: int
    parity: Mapping[str, Any]
    """Fields of `mobile.parity.Summary` and `images`."""
    metrics: Mapping[str, Loss]
    problems: Sequence[str]
    timing: Timing | None = None

    @property
    def title(self) -> str:
        """`ExecuTorch int8`."""
        return f"{_BACKENDS.get(self.backend, self.backend)} {self.precision}"

    @property
    def quantised(self) -> bool:
        """Whether its maps can differ visibly from torch's."""
        return not self.precision.startswith("fp")


@dataclass(frozen=True)
class Facts:
    """What the outputs of a workspace say."""

    config: Config
    height: int
    width: int
    """Input size of the student, pixels."""
    checkpoint_bytes: int
    means: Mapping[str, Means]
    """By predictor: `student`, `teacher NAME`, `mean map`."""
    per_image: Mapping[str, Sequence[Mapping[str, Any]]]
    roles: Mapping[str, Mapping[str, Any]]
    """Of the data manifest."""
    calibration: int
    """Images that fixed the activation ranges."""
    files: Sequence[File] = ()
    torch: Timing | None = None
    """Torch eager, which the ratios refer to."""
    host: Mapping[str, Any] | None = None
    lineage: Sequence[tuple[str, str]] = ()
    """What was made from what, in order: a name and a content hash."""
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def images(self) -> int:
        """Validation images measured on."""
        return len(self.per_image[STUDENT])


def best(files: Sequence[File]) -> File | None:
    """The file to ship: of those within every budget the fastest; of all, if none is.

    Files without a comparable latency come after those with one, smaller files first.
    """

    def order(file: File) -> tuple[bool, bool, float, int]:
        time = file.timing.ratio if file.timing else None
        return bool(file.problems), time is None, time or 0.0, file.bytes

    return min(files, key=order, default=None)
