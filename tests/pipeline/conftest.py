"""One finished run of the tiny pipeline for all tests that only look at it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tests.conftest import TINY, Workspace


@pytest.fixture(scope="session")
def done(make_workspace: Callable[[Sequence[str]], Workspace]) -> Workspace:
    """A workspace after an undisturbed `dvc repro`."""
    workspace = make_workspace(TINY)
    workspace.dvc("repro")
    return workspace
