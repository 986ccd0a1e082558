"""A server, places to write to, and a configuration folder of each test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.data.fetch.download import Policy
from tests.data.fetch.downloads import Slept, quick
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


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where a download goes."""
    return tmp_path / "data.zip"


@pytest.fixture
def slept() -> Slept:
    return Slept()


@pytest.fixture
def patient(slept: Slept) -> Policy:
    """Three attempts, no waiting."""
    return quick(slept)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where a data set goes."""
    return tmp_path / "root"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder in a folder: what escapes from it would be seen."""
    (tmp_path / "outer").mkdir()
    return tmp_path / "outer"
