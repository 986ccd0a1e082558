"""One tiny model, exported once by each recipe that a session's tests ask for."""

from __future__ import annotations

from collections.abc import Callable
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


class Exports(dict[str, Export]):
    """A recipe's name -> its export, made when it is first asked for."""

    def __init__(self, make: Callable[[str], Export]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> Export:
        self[name] = made = self._make(name)
        return made


@pytest.fixture(scope="session")
def exports(
    student: TinyStudent, images: list[Array], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Export]:
    def make(name: str) -> Export:
        folder = tmp_path_factory.mktemp(name)
        return Export(folder, export(student, SPEC, recipes.get(name), images[:8], folder))

    return Exports(make)


@pytest.fixture(scope="session")
def latency_input(images: list[Array], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("input") / "image.npy"
    np.save(path, images[0])
    return path
