"""One packed run for all tests that look at one."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.elsewhere.pack import Request, pack
from tests.conftest import ROOT
from tests.scripts.elsewhere import OVERRIDES, bare_python, write_salicon


@pytest.fixture(scope="session")
def salicon(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_salicon(tmp_path_factory.mktemp("salicon"))


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, salicon: Path) -> None:
    """A checkout with the data set registered."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("FOVEA_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("FOVEA_DATA_SALICON", str(salicon))


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory, salicon: Path) -> Path:
    out = tmp_path_factory.mktemp("archive") / "run.tar.gz"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOVEA_DATA_SALICON", str(salicon))
        patch.chdir(ROOT)
        pack(Request(out, OVERRIDES))
    return out


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bare_python(tmp_path_factory.mktemp("bare"))
