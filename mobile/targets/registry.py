"""What a target is: another runtime that takes a shipped file as it is."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from mobile.backend import Array
from pipeline.errors import UserError


class RefusedError(Exception):
    """The runtime would not take the file: a result to be recorded, no mistake of the user's."""


class Target(Protocol):
    """A runtime apart from the environment that exports."""

    name: str
    summary: str
    suffixes: tuple[str, ...]
    """Endings of the files it runs."""

    def refusal(self) -> str | None:
        """One line why it cannot be used here and what to do; None when it can."""

    def setup(self) -> None:
        """Install what it needs, apart from this environment; `UserError` where that fails."""

    def outputs(self, path: Path, images: Sequence[Array]) -> list[Array]:
        """Run the file on images (1, 3, H, W), float32 RGB 0-255 -> (1, 1, H, W) each.

        Raises `RefusedError` with the runtime's own words when it does not take the file.
        """


_TARGETS: dict[str, Target] = {}


def register(target: Target) -> Target:
    """Add `target`; a second one of its name is a `ValueError`."""
    if target.name in _TARGETS:
        raise ValueError(f"target {target.name!r} is registered twice")
    _TARGETS[target.name] = target
    return target


def names() -> list[str]:
    """Every target, sorted."""
    return sorted(_TARGETS)


def get(name: str) -> Target:
    """The target called `name`; `UserError` with the nearest one for another name."""
    if name not in _TARGETS:
        near = difflib.get_close_matches(name, _TARGETS, n=1, cutoff=0.0)
        raise UserError(f"no target is called {name!r}; did you mean {near[0]!r}?")
    return _TARGETS[name]
