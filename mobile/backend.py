"""What a backend is: it exports a module to bytes, and runs the file again.

Backends live in `mobile/backends`, one module each, and register an object of this protocol. They
import their converters inside functions, so that listing recipes costs nothing and a missing
package is an error of that backend alone.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from mobile.recipes import Recipe
from pipeline.errors import UserError

if TYPE_CHECKING:
    from torch import nn

    from mobile.inspection import Inspection
    from students import ModelSpec

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Delegation:
    """How much of a graph an accelerated delegate took over."""

    delegate: str
    """Delegate asked for, e.g. `XNNPACK`."""
    unit: str
    """What is counted: nodes of which graph."""
    delegated: int
    """Nodes inside delegated partitions."""
    total: int
    """All operator nodes, quantise and dequantise nodes included."""
    partitions: int
    """Delegated partitions; each border costs a hand-over."""
    undelegated: dict[str, int]
    """Operators left to portable kernels, with their counts."""


@dataclass(frozen=True)
class Exported:
    """What an export gives back."""

    data: bytes | Mapping[str, bytes]
    """Contents of the file, or of a package's files by relative name."""
    layout: str
    """`NCHW` or `NHWC`: how the file takes its one image."""
    input_name: str
    output_name: str
    delegation: Delegation | None
    """None where the runtime decides on the device, at load."""
    rewrites: Mapping[str, int] = field(default_factory=dict)
    """Exact rewrites that were applied, with how often."""


class Runner(Protocol):
    """A loaded file. `run` is `invoke(prepare(image))`; latency times `invoke` alone."""

    path: Path
    threads: int

    def prepare(self, image: Array) -> Any:
        """`image` (1, 3, H, W) float32 RGB 0-255 in the form this runtime takes."""

    def invoke(self, prepared: Any) -> Array:
        """Run once; the model's output as float32, channels first."""

    def run(self, image: Array) -> Array:
        """`image` (1, 3, H, W) float32 RGB 0-255 -> (1, 1, H, W) float32.

        Raises `UserError` when the image is not what the file takes.
        """


class Backend(Protocol):
    """Exports modules and runs the files it made."""

    name: str
    suffix: str
    runtime: str
    """Distribution that runs the file; its version goes into latency rows."""
    modules: tuple[str, ...]
    """Modules to import before a load is timed: importing is not loading."""
    packages: tuple[str, ...]
    """Distributions whose versions decide the bytes of an export."""

    def refusal(self) -> str | None:
        """One line why files of this backend cannot run on this machine; None when they can."""

    def executor(self) -> str:
        """What runs its files on this machine, as tables name it."""

    def untimed(self) -> str | None:
        """One line why times taken here would say nothing of a file; None when they count."""

    def export(
        self,
        module: nn.Module,
        example: Array,
        recipe: Recipe,
        calibration: Iterable[Array],
        spec: ModelSpec,
    ) -> Exported:
        """Convert an eval-mode `module` traced on `example` (1, 3, H, W).

        `spec` is for descriptions inside the file, where its format has room for them.
        """

    def load(self, path: Path, threads: int) -> Runner:
        """Open a file this backend made; `UserError` with the `refusal` where there is one."""

    def inspect(self, path: Path, module: nn.Module, recipe: Recipe) -> Inspection | None:
        """Read a file without running it, beside the `module` it was made from.

        None where its own runtime runs wherever it can be made: then parity says more.
        """


_BACKENDS: dict[str, Backend] = {}


def register_backend(backend: Backend) -> Backend:
    """Add `backend`; a second one of its name or suffix is a `ValueError`."""
    for other in _BACKENDS.values():
        if backend.name == other.name or backend.suffix == other.suffix:
            raise ValueError(f"backend {backend.name!r} clashes with {other.name!r}")
    _BACKENDS[backend.name] = backend
    return backend


def get_backend(name: str) -> Backend:
    """The backend called `name`. Raises `KeyError` when unknown."""
    importlib.import_module("mobile.backends")
    return _BACKENDS[name]


def not_timed(backend: Backend) -> str | None:
    """Why a file of `backend` is not timed on this machine; None when it can be."""
    return backend.refusal() or backend.untimed()


def backend_for(path: Path) -> Backend:
    """The backend whose suffix `path` has, the longest that fits; `UserError` without any."""
    importlib.import_module("mobile.backends")
    fits = [backend for backend in _BACKENDS.values() if path.name.endswith(backend.suffix)]
    if fits:
        return max(fits, key=lambda backend: len(backend.suffix))
    known = ", ".join(sorted(b.suffix for b in _BACKENDS.values()))
    raise UserError(f"{path} is not a model file: its ending is none of {known}")


def check_magic(path: Path, magic: bytes, kind: str) -> None:
    """`UserError` unless bytes 4-8 of the file `path` are the flatbuffer identifier `magic`."""
    if path.is_dir():
        raise UserError(f"{path} is not {kind}: it is a folder; name the file inside it")
    if not path.is_file():
        raise UserError(f"{path} is missing; export it first")
    with path.open("rb") as stream:
        head = stream.read(8)
    if not head:
        raise UserError(f"{path} is not {kind}: it is empty; export it again")
    if head[4:8] != magic:
        raise UserError(
            f"{path} is not {kind}: bytes 4-8 are {head[4:8]!r}, expected {magic!r}; "
            "export it again"
        )


def failed(path: Path, error: Exception) -> UserError:
    """What to tell when a loaded file fails while running, as damaged ones may."""
    return UserError(f"{path} failed while running ({error}); it may be damaged, export it again")


def check_image(image: Array, shape: tuple[int, ...], path: Path) -> None:
    """`UserError` unless `image` is float32 of `shape` (1, 3, H, W)."""
    if image.shape != shape or image.dtype != np.float32:
        raise UserError(
            f"{path} takes float32 RGB 0-255 of shape {shape}, "
            f"got {image.dtype} of shape {image.shape}; resize and convert the image first"
        )
