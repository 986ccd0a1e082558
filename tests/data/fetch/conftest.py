"""A server, and a configuration folder of each test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.data.fetch.server import Server, running


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOVEA_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("FOVEA_DATASETS", str(tmp_path / "datasets"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
