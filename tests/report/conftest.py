"""A workspace in a temporary folder that every test may change."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import Config
from tests.report import workspace


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOVEA_DATA_PHOTOS", str(tmp_path / "photos"))
    return tmp_path


@pytest.fixture
def config() -> Config:
    return workspace.configuration()
