"""Full disks, folders that may not be written to, files in the way: the old or nothing remains.

A limit on the size of files stands for a full disk: both fail in the middle of a write.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.engine.history import History
from pipeline.errors import UserError
from pipeline.files import atomic_path, atomic_write_text, replace_tree, unwritable, write_json
from pipeline.scratch import scratch
from tests.conftest import ROOT

LIMIT = 20_000

WRITERS = """
import json, os, resource, sys
from pathlib import Path
import numpy as np, torch
from mobile.export import _write
from pipeline import checkpoint
from pipeline.engine.history import History
from pipeline.engine.state import State, save
from pipeline.errors import UserError
from pipeline.files import write_json
from pipeline.labels import write_shards
from pipeline.pictures import write_logits
from tests.labels.labelling import SPEC, predict
import dataclasses

folder, limit = Path(sys.argv[1]), int(sys.argv[2])
spec = dataclasses.replace(SPEC, height=96, width=96, ids=SPEC.ids[:3])
big = np.random.default_rng(0).random((3, 96, 96), dtype=np.float32)

class Trained:
    def state_dict(self):
        return {"weights": torch.zeros(100_000)}

history = History(folder / "history.jsonl")

def add_rows():
    for step in range(10_000):
        history.add({"kind": "step", "step": step, "loss": 0.5})

writers = {
    "checkpoint.safetensors": lambda path: checkpoint.write(
        path, {"x": torch.zeros(100_000)}, {"kind": "student", "model": "m", "overrides": {}}),
    "metrics.json": lambda path: write_json(path, {"values": list(range(10_000))}),
    "model.pte": lambda path: _write(path, bytes(100_000)),
    "model.mlpackage": lambda path: _write(path, {"Data/weights.bin": bytes(100_000)}),
    "shard-00000.u8": lambda path: write_shards(spec, path.parent, lambda ids: big),
    "map.npy": lambda path: write_logits(path, np.zeros((300, 300), np.float32)),
    "state.pt": lambda path: save(path.parent, State(), Trained().state_dict(), 1),
    "history.jsonl": lambda path: add_rows(),
}
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
said = {}
for name, write in writers.items():
    try:
        write(folder / name)
        said[name] = "written"
    except UserError as error:
        said[name] = str(error)
print(json.dumps(said))
"""
"""Everything that stages keep, each with more bytes than the limit allows."""


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder after all writers failed in it, and what each said. Two files were there before."""
    folder = tmp_path_factory.mktemp("full")
    for name in ("checkpoint.safetensors", "metrics.json"):
        (folder / name).write_text("old")
    done = subprocess.run(
        [sys.executable, "-c", WRITERS, str(folder), str(LIMIT)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


def test_every_writer_says_where_and_what_to_do(full: tuple[Path, dict[str, str]]) -> None:
    folder, said = full
    assert len(said) == 8
    for name, message in said.items():
        assert message.startswith(f"could not write {folder}/")
        assert name in message
        assert "File too large; make room on that disk and run again" in message


def test_the_old_or_nothing_remains(full: tuple[Path, dict[str, str]]) -> None:
    folder, _ = full
    assert {p.name for p in folder.iterdir()} == {
        "checkpoint.safetensors",
        "metrics.json",
        "history.jsonl",
    }
    for name in ("checkpoint.safetensors", "metrics.json"):
        assert (folder / name).read_text() == "old"


def test_a_history_cut_short_is_read_up_to_there(full: tuple[Path, dict[str, str]]) -> None:
    """It grows line by line; on resume, the rows of the last saved state are kept."""
    folder, _ = full
    assert (folder / "history.jsonl").stat().st_size == LIMIT
    assert [row["step"] for row in History(folder / "history.jsonl", 300).rows] == list(range(300))


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "No space left on device; make room on that disk and run again"),
        (errno.EDQUOT, "Disk quota exceeded; make room"),
        (errno.EROFS, "Read-only file system; make .* writable, or work in another folder"),
        (errno.EACCES, "Permission denied; make .* writable"),
        (errno.EIO, "Input/output error$"),
    ],
)
def test_reasons_come_with_advice(tmp_path: Path, number: int, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(UserError, match=f"could not write {path}: {message}"), atomic_path(path):
        raise OSError(number, os.strerror(number))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("depth", [1, 3])
def test_a_file_in_the_way_of_a_folder_is_named(tmp_path: Path, depth: int) -> None:
    (tmp_path / "outputs").write_text("not a folder")
    path = tmp_path.joinpath("outputs", *["deeper"] * (depth - 1), "a.json")
    with pytest.raises(UserError, match=f"{tmp_path}/outputs is in the way: move it elsewhere"):
        write_json(path, {})
    assert (tmp_path / "outputs").read_text() == "not a folder"


def test_a_folder_in_the_way_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(UserError, match=r"a\.json is in the way"):
        atomic_write_text(tmp_path / "a.json", "new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


FORBIDDEN = """
import os, sys
from pathlib import Path
from pipeline.errors import UserError
from pipeline.files import write_json, replace_tree
from pipeline.lock import alone

folder = Path(sys.argv[1])
if os.geteuid() == 0:  # root may write everywhere: be nobody
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
def locked(path):
    with alone(path / "stage.lock", "a run"):
        pass
for act in (lambda p: write_json(p / "a.json", {}), lambda p: write_json(p / "new/a.json", {}),
            locked):
    try:
        act(folder)
        print("written")
    except UserError as error:
        print(error)
"""


def test_a_read_only_folder_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "outputs"
    folder.mkdir()
    folder.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", FORBIDDEN, str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert len(lines) == 3, done.stderr
    for line in lines:
        assert "Permission denied; make" in line
        assert "writable, or work in another folder" in line
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_put_in_place_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The move into place fails at its last step: finished work and what was there both stay."""
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text(name)
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name == ".old.new":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(UserError, match="old: No space left on device; make room"):
        replace_tree(tmp_path / "new", tmp_path / "old")
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")) == [
        "new",
        "new/new",
        "old",
        "old/old",
    ]


def test_a_copied_tree_says_the_first_reason() -> None:
    """Copying a tree gathers the errors of all files into one without a number."""
    import shutil

    texts = [("a", "b", "[Errno 28] No space left on device: 'b'"), ("c", "d", "[Errno 28] …")]
    found = unwritable(Path("shelf/x"), shutil.Error(texts))
    assert str(found).startswith("could not write shelf/x: No space left on device; make room")


def test_scratch_on_a_full_disk_is_kept_for_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOVEA_SCRATCH", str(tmp_path / "scratch"))
    with pytest.raises(UserError), scratch("label", {}, []) as folder:
        np.save(folder / "shard.npy", np.zeros(3))
        raise unwritable(folder / "next", OSError(errno.ENOSPC, "full"))
    assert (folder / "shard.npy").is_file()


@pytest.mark.parametrize("damage", [b"", b"PK", b"no archive at all"])
def test_a_damaged_state_says_how_to_begin_anew(tmp_path: Path, damage: bytes) -> None:
    from pipeline.engine.distributed import ALONE
    from pipeline.engine.state import FILE, resume

    (tmp_path / FILE).write_bytes(damage)
    with pytest.raises(UserError, match=rf"state\.pt is damaged .*; remove {tmp_path} to begin"):
        resume(tmp_path, object(), ALONE)
