"""One tiny model, exported once by every recipe for all tests of the session."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from mobile import recipes
from mobile.backend import Array
from mobile.export import ExportReport, export
from tests.mobile.tiny import SPEC, TinyStudent, photographs


@dataclass(frozen=True)
class Export:
    """One exported file."""

    folder: Path
    report: ExportReport

    @property
    def file(self) -> Path:
        return self.folder / self.report.file


@pytest.fixture(scope="session")
def student() -> TinyStudent:
    torch.manual_seed(0)
    return TinyStudent().eval()


@pytest.fixture(scope="session")
def images() -> list[Array]:
    return photographs(12)


@pytest.fixture(scope="session")
def exports(
    student: TinyStudent, images: list[Array], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Export]:
    made = {}
    for name in recipes.names():
        folder = tmp_path_factory.mktemp(name)
        report = export(student, SPEC, recipes.get(name), images[:8], folder)
        made[name] = Export(folder, report)
    return made


@pytest.fixture(scope="session")
def latency_input(images: list[Array], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("input") / "image.npy"
    np.save(path, images[0])
    return path
