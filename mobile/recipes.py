"""Export recipes: a name for each way to turn a student into a file.

A recipe names a backend, a precision and the parity its file must reach. Every backend module
registers its own, so `names()` grows with a new file in `mobile/backends` and nothing else.

| target | choose |
|---|---|
| iOS and Android apps on ExecuTorch, reference accuracy | `executorch_fp32` |
| the same, less than a third of the size; quicker with int8 dot products | `executorch_int8` |
| Android, browsers and GPUs on LiteRT, reference accuracy | `litert_fp32` |
| the same on a GPU, half the download | `litert_fp16` |
| Android and browsers on a CPU: less than a third of the size, quickest | `litert_int8` |
| the same size where static int8 loses too much; as slow as float32 | `litert_int8_weights` |
| least loss of an integer file, on microcontrollers and DSPs that take int16 | `litert_16x8` |
| iOS 16+ and macOS 13+ apps on Core ML, half the size | `coreml_fp16` |
| the same, about a quarter of the size; arithmetic stays fp16 | `coreml_int8_weights` |
| the same, a fifth of the size at a small loss | `coreml_palette6` |
| the same, a seventh of the size at a large loss: measure it | `coreml_palette4` |
| iOS 17+ with int8 arithmetic on the neural engine of A17 Pro, M4 and later | `coreml_w8a8` |
| an app on ExecuTorch that wants Core ML's neural engine | `executorch_coreml` |

Core ML packages are made everywhere; off Apple's systems a reference interpreter runs them, which
says how good they are and nothing of how fast.
"""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass
from typing import Literal

from pipeline.errors import UserError

Precision = Literal[
    "fp32", "fp16", "fp16 weights", "int8", "int8 weights", "16x8", "palette6", "palette4", "w8a8"
]


@dataclass(frozen=True)
class Recipe:
    """One named way to export."""

    name: str
    """Unique; also the folder below `outputs/exports`."""
    backend: str
    """Name of the module in `mobile/backends` that exports and runs it."""
    precision: Precision
    """Arithmetic of the convolutions; `… weights` and palettes are stored so and computed in float
    (Core ML: fp16). Inputs and outputs are float32 in every recipe."""
    suffix: str
    """File name ending, with the dot."""
    calibrated: bool
    """Whether export needs calibration images."""
    max_abs: float | None
    """Largest logit difference from torch that a sound export shows; None: no such bound."""
    min_cc: float
    """Smallest correlation with torch's map that a sound export shows."""
    summary: str
    """One line for tables and help."""
    delegate: bool = True
    """Whether a delegate is meant to take the graph."""

    @property
    def size(self) -> tuple[float, float]:
        """Least and most bytes per parameter of a file whose weights came out as promised."""
        return _BYTES[self.precision]

    def bytes_each(self, size: int, parameters: int | None) -> float | None:
        """Bytes per parameter of a file of `size` bytes.

        None for models under a million parameters, whose graph outweighs their weights.
        """
        if parameters is None or parameters < LEAST_PARAMETERS:
            return None
        return size / parameters


LEAST_PARAMETERS = 1_000_000
# Weights alone, and with what a graph, its scales and biases in 32 bits add.
_BYTES: dict[Precision, tuple[float, float]] = {
    "fp32": (3.9, 4.3),
    "fp16": (1.95, 2.3),
    "fp16 weights": (1.95, 2.3),
    "int8": (0.98, 1.35),
    "int8 weights": (0.98, 1.35),
    "16x8": (0.98, 1.45),
    "palette6": (0.73, 1.1),
    "palette4": (0.49, 0.85),
    "w8a8": (0.98, 1.4),
}

_RECIPES: dict[str, Recipe] = {}


def register(recipe: Recipe) -> Recipe:
    """Add `recipe`; a second one of its name is a `ValueError`."""
    if recipe.name in _RECIPES:
        raise ValueError(f"recipe {recipe.name!r} is registered twice")
    _RECIPES[recipe.name] = recipe
    return recipe


def names() -> list[str]:
    """Every recipe, sorted."""
    _discover()
    return sorted(_RECIPES)


def get(name: str) -> Recipe:
    """The recipe called `name`; unknown names are a `UserError` with the nearest one."""
    _discover()
    if name not in _RECIPES:
        near = difflib.get_close_matches(name, _RECIPES, n=1, cutoff=0.0)
        raise UserError(
            f"no export recipe is called {name!r}; did you mean {near[0]!r}? "
            f"Known: {', '.join(names())}"
        )
    return _RECIPES[name]


def _discover() -> None:
    importlib.import_module("mobile.backends")
