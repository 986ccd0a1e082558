"""Half a lock file of DVC, left by a kill, is mended; a whole one, or one in use, stays."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.lock import make_lock
from dvc.rwlock import RWLOCK_FILE, RWLOCK_LOCK

from fovea.cli import main
from pipeline import dvc_lock


@pytest.fixture
def file(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / dvc_lock.FILE
    path.parent.mkdir(parents=True)
    assert (path.name, f"{path.name}.lock") == (RWLOCK_FILE, RWLOCK_LOCK), "as DVC names them"
    return path


@pytest.mark.parametrize("left", [b"", b'{"write": {"out', b"\xff\x00"])
def test_half_a_file_is_removed(file: Path, left: bytes) -> None:
    file.write_bytes(left)
    assert dvc_lock.mend(file)
    assert not file.exists()
    assert not dvc_lock.mend(file)


def test_a_whole_one_stays(file: Path) -> None:
    file.write_text("{}")
    assert not dvc_lock.mend(file)
    assert file.read_text() == "{}"


def test_one_that_is_being_written_stays(file: Path) -> None:
    file.write_text("")
    with make_lock(str(file.with_name(RWLOCK_LOCK)), tmp_dir=str(file.parent)):
        assert not dvc_lock.mend(file)
    assert file.exists()


def test_dvc_goes_on_afterwards(file: Path) -> None:
    shutil.rmtree(".dvc")
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, check=True)
    Path("dvc.yaml").write_text("stages: {a: {cmd: echo a > b, outs: [b]}}\n")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    repro = [sys.executable, "-m", "dvc", "repro"]
    stopped = subprocess.run(repro, capture_output=True, text=True, check=False)
    assert "RWLock-file" in stopped.stderr, "DVC gets past it now: this module can go"
    assert dvc_lock.mend()
    subprocess.run(repro, check=True)


def test_doctor_tells_of_it(file: Path, capsys) -> None:
    file.write_text("")
    main(["doctor"])
    assert "python -m pipeline.dvc_lock" in capsys.readouterr().out
