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
_BACKENDS = {
    "executorch": "ExecuTorch",
    "executorch_coreml": "ExecuTorch on Core ML",
    "litert": "LiteRT",
    "coreml": "Core ML",
}


def backend_name(backend: str) -> str:
    """A backend as its makers write it."""
    return _BACKENDS.get(backend, backend)


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
    delegated: int | None
    """None, like the next two, where only the device decides at load."""
    nodes: int | None
    partitions: int | None
    parity: Mapping[str, Any] | None
    """Fields of `mobile.parity.Summary` and `images`; None when not executed."""
    metrics: Mapping[str, Loss]
    """Empty when not executed."""
    problems: Sequence[str]
    timing: Timing | None = None
    reason: str | None = None
    """Why the file was not executed on the machine that checked it; None when it was."""
    executor: str = ""
    """What ran it; empty where nothing did, or nothing was said."""
    untimed: str | None = None
    """Why its time is not taken on that machine; None where it counts."""
    inspection: Mapping[str, Any] | None = None
    """Fields of `mobile.inspection.Inspection`, read from the file without running it."""
    per_image: Sequence[Mapping[str, Any]] = ()
    """Scores of the file's own outputs, a row per image, where the check kept them."""
    strata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By stratum: `images`, and fields of `Loss` for each gated metric where they are enough."""
    calibrated: bool = False
    """Whether activation ranges were fixed on the calibration images."""

    @property
    def executed(self) -> bool:
        """Whether parity and metrics were computed from the file's own outputs."""
        return self.parity is not None

    @property
    def title(self) -> str:
        """`ExecuTorch int8`."""
        return f"{backend_name(self.backend)} {self.precision}"

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
    digests: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of `phase NAME`, `teacher NAME`, `labels NAME` and `calibration`, where known."""
    versions: Mapping[str, str] = field(default_factory=dict)
    against: str = ""
    """What shuffled AUC and information gain compare with, in a sentence; empty without them."""

    @property
    def images(self) -> int:
        """Validation images measured on."""
        return len(self.per_image[STUDENT])


def best(files: Sequence[File]) -> File | None:
    """The file to ship: of those within every budget the fastest; of all executed, if none is.

    Files without a comparable latency come after those with one, smaller files first.
    """

    def order(file: File) -> tuple[bool, bool, float, int]:
        time = file.timing.ratio if file.timing else None
        return bool(file.problems), time is None, time or 0.0, file.bytes

    return min((file for file in files if file.executed), key=order, default=None)
