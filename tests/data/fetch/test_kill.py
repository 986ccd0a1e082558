"""Kill -9 and Ctrl-C in the middle of a download: the next call goes on, to the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.data.fetch import Options, fetch
from pipeline.errors import UserError
from pipeline.files import tree_hash
from tests.conftest import ROOT
from tests.data.fetch.archives import images, source, zipped
from tests.data.fetch.server import Served, Server

DATA = zipped(images(4, size=100_000))
HALF = len(DATA) // 2

COMMAND = """
import sys
from fovea.cli import main
from pipeline.data.fetch import register
from tests.data.fetch.archives import source
register(source(sys.argv[1]))
sys.exit(main(["data", "fetch", "toy", "--to", sys.argv[2]]))
"""


@contextmanager
def halfway(server: Server, root: Path) -> Iterator[tuple[subprocess.Popen[str], Served]]:
    """A process of its own that has half of the file and waits for the rest."""
    served = server.serve("photos.zip", DATA, hang_at=HALF)
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, server.url("photos.zip"), str(root)],
        cwd=ROOT, env=dict(os.environ), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    part = root / ".fetch/photos.zip.part"
    try:
        deadline = time.monotonic() + 120
        while not (part.is_file() and part.stat().st_size == HALF):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process, served
    finally:
        process.kill()
        process.communicate()


def resumed(server: Server, root: Path, served: Served) -> None:
    """Fetch what is left, and compare with a root that nobody disturbed."""
    served.go.set()
    toy = source(server.url("photos.zip"))
    fetch(toy, root, Options(), lambda _: None)
    assert served.ranges_asked[:2] == [None, f"bytes={HALF}-"]
    fetch(toy, root.parent / "undisturbed", Options(), lambda _: None)
    assert tree_hash(root / "photos") == tree_hash(root.parent / "undisturbed" / "photos")


def test_killed(server: Server, tmp_path: Path) -> None:
    root = tmp_path / "root"
    with halfway(server, root) as (process, served):
        process.kill()
        process.wait()
        resumed(server, root, served)


def test_interrupted(server: Server, tmp_path: Path) -> None:
    root = tmp_path / "root"
    with halfway(server, root) as (process, served):
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130
        assert said.endswith("\nstopped; the same command goes on from here\n")
        assert "Traceback" not in said
        assert not (root / "photos").exists()
        resumed(server, root, served)


def test_two_at_once_in_one_root_are_refused(server: Server, tmp_path: Path) -> None:
    root = tmp_path / "root"
    with halfway(server, root) as (process, served):
        with pytest.raises(UserError, match=rf"another fetch is already .*process {process.pid}"):
            fetch(source(server.url("photos.zip")), root, Options(), lambda _: None)
        served.go.set()
        said, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        assert f"data toy: {root}" in said
    assert len(served.asked) == 1
