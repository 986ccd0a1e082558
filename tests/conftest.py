"""Fixtures that several test packages share."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from omegaconf import OmegaConf
from xdist.scheduler.loadscope import LoadScopeScheduling

ROOT = Path(__file__).resolve().parents[1]

# Deadlines would measure whatever else the machine is doing. The same examples in every run, unless
# asked for others: pytest --hypothesis-profile=explore
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile("same")

TINY = (
    "sample.train=24",
    "sample.val=6",
    "sample.pool=16",
    "data.calibration=6",
    "profile.teacher_width=0.0625",
    "profile.teacher_epochs=1",
    "profile.hint_epochs=1",
    "profile.finetune_epochs=1",
    "student.teachers.salgan.shard=8",
    "machine.workers=0",
    "latency.iterations=3",
    "latency.repeats=1",
    "latency.warmup=1",
    "export.recipes=[executorch_fp32]",
)
"""The whole pipeline in about two minutes: everything runs, nothing is learned."""


IN_ONE_PROCESS = """
import importlib, sys
for line in sys.argv[1:]:
    name, *given = line.split()
    sys.argv[1:] = given
    importlib.import_module(f"pipeline.stages.{name}").main()
"""
"""Importing torch ten times would take longer than all of the stages."""


@dataclass(frozen=True)
class Workspace:
    """A checkout of its own, with scratch, shelf and registry of its own."""

    folder: Path
    environment: dict[str, str]

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout; its output goes into the failure."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True,
            check=False, timeout=1200,
        )  # fmt: skip
        if check:
            assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done

    def dvc(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run DVC."""
        return self.run(sys.executable, "-m", "dvc", *arguments, check=check)

    def stage(
        self, name: str, *arguments: str, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run one stage entry as DVC would."""
        return self.run(sys.executable, "-m", f"pipeline.stages.{name}", *arguments, check=check)

    def together(self, *lines: str) -> subprocess.CompletedProcess[str]:
        """Run stage entries one after the other in one process, such as `train hint`."""
        return self.run(sys.executable, "-c", IN_ONE_PROCESS, *lines)

    def compose(self, *overrides: str) -> None:
        """Write params.yaml for these overrides."""
        from pipeline.config.load import compose_raw

        tree = compose_raw(overrides, self.folder / "conf")
        (self.folder / "params.yaml").write_text(OmegaConf.to_yaml(tree))


def copy_checkout(target: Path) -> None:
    """The tracked and new files of this checkout, as they are, in a repository of their own."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\n")  # fmt: skip
    for name in filter(None, listed):
        source = ROOT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost"]
    subprocess.run([*git, "init", "-q"], cwd=target, check=True)
    subprocess.run([*git, "add", "-A"], cwd=target, check=True)
    subprocess.run([*git, "commit", "-qm", "checkout"], cwd=target, check=True)


LONGEST = (
    "tests/pipeline/",
    "tests/mobile/",
    "tests/apps/",
    "tests/fovea/",
    "tests/report/",
    "tests/scripts/",
)
"""Folders that take longest, most of it for session fixtures that their tests share."""


class ByFolder(LoadScopeScheduling):  # type: ignore[misc]  # its package has no types
    """Tests of one folder run in one process: they share what is costly to make."""

    def _split_scope(self, nodeid: str) -> str:
        return "/".join(nodeid.split("::")[0].split("/")[:2])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFolder:
    """How `make test` shares tests out to several processes."""
    config.option.loadscopereorder = False  # the order below is better than by number of tests
    return ByFolder(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no process is left with them at the end."""
    order = {folder: number for number, folder in enumerate(LONGEST)}

    def place(item: pytest.Item) -> int:
        folder = "/".join(item.nodeid.split("::")[0].split("/")[:2]) + "/"
        return order.get(folder, len(LONGEST))

    items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_reaches_children() -> None:
    """A shell starts what it puts into the background deaf to Ctrl-C, and children inherit it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def one_thread_each() -> None:
    """Processes side by side leave each other the cores."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        import torch

        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def make_workspace(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Sequence[str]], Workspace]:
    """Workspaces by their overrides."""

    def make(overrides: Sequence[str]) -> Workspace:
        base = tmp_path_factory.mktemp("workspace")
        folder = base / "checkout"
        folder.mkdir()
        copy_checkout(folder)
        binaries = str(Path(sys.executable).parent)
        environment = {
            **os.environ,
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            "FOVEA_SCRATCH": str(base / "scratch"),
            "FOVEA_SHELF": str(base / "shelf"),
            "FOVEA_HISTORY": str(base / "history.jsonl"),
            "FOVEA_CONFIG_DIR": str(base / "config"),
            "GIT_AUTHOR_NAME": "test",
            "GIT_AUTHOR_EMAIL": "test@localhost",
            "GIT_COMMITTER_NAME": "test",
            "GIT_COMMITTER_EMAIL": "test@localhost",
        }
        workspace = Workspace(folder, environment)
        workspace.compose(*overrides)
        return workspace

    return make
