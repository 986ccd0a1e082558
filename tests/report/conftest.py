"""A workspace in a temporary folder that every test may change."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import Config
from pipeline.files import atomic_write_text
from pipeline.stages import report
from tests.report import workspace
from tests.report.shelved import shelve


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOVEA_DATA_PHOTOS", str(tmp_path / "photos"))
    monkeypatch.setenv("FOVEA_SHELF", str(tmp_path / "shelf"))
    return tmp_path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of an unchanged workspace beside three entries of the shelf, made once."""
    folder = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("FOVEA_DATA_PHOTOS", str(folder / "photos"))
        patch.setenv("FOVEA_SHELF", str(folder / "shelf"))
        config = workspace.configuration()
        workspace.write(config)
        shelve("00aa", cc=0.02, times=1.4)
        shelve("00bb", "fastsal_a", cc=0.1, validation="ab" * 32)
        shelve("00cc", cc=-0.02, row={"host": "ef" * 8, "device": "another processor"})
        target = folder / "report.html"
        atomic_write_text(target, report.build(config))
    return target


@pytest.fixture
def config() -> Config:
    return workspace.configuration()
