"""Equal forms of one student, and which of them a recipe exports, by measurement.

A student that can be written in several ways offers them as `export_forms()`: name -> module, equal
up to rounding, with its weights as they are (a test holds every one of them to float64). Which one
is quickest differs by runtime and precision; `python -m benchmarks.rewrites` measures and writes
`measured.json`, from which exports choose. The export report says which form it took and why.
"""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UserError
from pipeline.files import read_json

if TYPE_CHECKING:
    from torch import nn

MEASURED = Path(__file__).parent / "measured.json"
ONLY = "as trained"
"""Name of the form of a student that offers no others."""


@dataclass(frozen=True)
class Form:
    """The form that an export takes."""

    name: str
    reason: str
    """Why this one: a measurement, or that there is none."""


def of(student: nn.Module) -> dict[str, nn.Module]:
    """Forms of a copy of `student` by name, default first: eval mode, CPU, no gradients."""
    module = copy.deepcopy(student).cpu().eval().requires_grad_(False)
    offered = getattr(module, "export_forms", None)
    found: dict[str, nn.Module] = {ONLY: module} if offered is None else offered()
    return {name: form.eval().requires_grad_(False) for name, form in found.items()}


def choose(student: str, recipe: str, names: list[str]) -> Form:
    """The quickest form that was measured of `student` by `recipe`, else the first of `names`."""
    if len(names) == 1:
        return Form(names[0], "the only form there is")
    times = {n: t for n, t in _measured().get(f"{student} {recipe}", {}).items() if n in names}
    if len(times) < len(names):
        return Form(names[0], "not measured for this recipe: the student's default")
    best = min(times, key=lambda name: times[name])
    others = ", ".join(f"{name} {times[name] / times[best]:.2f}" for name in names if name != best)
    return Form(best, f"measured quickest; times as long: {others}")


def named(name: str, names: list[str]) -> Form:
    """The form that somebody asked for; `UserError` with those there are for another name."""
    if name not in names:
        raise UserError(f"no export form is called {name!r}; this student has {', '.join(names)}")
    return Form(name, "asked for")


@functools.cache
def _measured() -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = read_json(MEASURED)["ms"] if MEASURED.is_file() else {}
    return found
