"""Small real bundles for the apps, made once for all of their tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.apps import small


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folder of each bundle by its student."""
    home = tmp_path_factory.mktemp("bundles")
    makers = {
        "fastsal_a": small.saliency,
        "fastsal_a_objects": small.objects,
        "fastsal_a_semantic": small.semantic,
    }
    return {name: make(home / name, home / f"{name}.exports") for name, make in makers.items()}
