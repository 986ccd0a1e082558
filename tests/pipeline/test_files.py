"""Files are whole or absent; hashes do not depend on where things lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.files import (
    atomic_path,
    atomic_write_text,
    read_json,
    replace_tree,
    sha256_json,
    tree_hash,
    write_json,
)
from pipeline.scratch import scratch


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    atomic_write_text(path, "old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_full_disk_is_said_in_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match=r"could not write .*a.json: No space left"),
        atomic_path(tmp_path / "a.json"),
    ):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_json_round_trip_is_stable(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": [1.5, None]})
    first = (tmp_path / "a.json").read_bytes()
    write_json(tmp_path / "a.json", {"a": [1.5, None], "b": 1})
    assert (tmp_path / "a.json").read_bytes() == first
    assert read_json(tmp_path / "a.json") == {"a": [1.5, None], "b": 1}


def test_json_hash_ignores_the_order_of_keys() -> None:
    assert sha256_json({"a": 1, "b": 2}) == sha256_json({"b": 2, "a": 1})
    assert sha256_json({"a": 1}) != sha256_json({"a": 2})


def test_tree_hash_sees_names_and_contents_but_not_the_place(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / "x").write_text("1")
    assert tree_hash(tmp_path / "one") == tree_hash(tmp_path / "two")
    (tmp_path / "two" / "sub" / "x").rename(tmp_path / "two" / "sub" / "y")
    assert tree_hash(tmp_path / "one") != tree_hash(tmp_path / "two")


def test_replace_tree_replaces_whole_folders(tmp_path: Path) -> None:
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text(name)
    replace_tree(tmp_path / "new", tmp_path / "old")
    assert [p.name for p in (tmp_path / "old").iterdir()] == ["new"]
    assert [p.name for p in tmp_path.iterdir()] == ["old"]


def test_missing_and_broken_json_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is missing; run `dvc repro`"):
        read_json(tmp_path / "a.json")
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(UserError, match="not valid JSON"):
        read_json(tmp_path / "a.json")


def test_scratch_survives_failure_and_goes_on_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOVEA_SCRATCH", str(tmp_path / "scratch"))
    dependency = tmp_path / "dependency"
    dependency.write_text("1")
    with pytest.raises(RuntimeError), scratch("train", {"lr": 1}, [dependency]) as folder:
        (folder / "state").write_text("half")
        raise RuntimeError
    with scratch("train", {"lr": 1}, [dependency]) as again:
        assert again == folder
        assert (again / "state").read_text() == "half"
    assert not folder.exists()


@pytest.mark.parametrize("change", ["settings", "dependency"])
def test_scratch_of_other_settings_or_inputs_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setenv("FOVEA_SCRATCH", str(tmp_path / "scratch"))
    dependency = tmp_path / "dependency"
    dependency.write_text("1")
    with scratch("train", {"lr": 1}, [dependency]) as first:
        pass
    if change == "dependency":
        dependency.write_text("2")
    with scratch("train", {"lr": 2 if change == "settings" else 1}, [dependency]) as second:
        assert second != first


def test_an_unwritable_scratch_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FOVEA_SCRATCH", str(tmp_path / "file"))
    with pytest.raises(UserError, match="set FOVEA_SCRATCH"), scratch("train", {}, []):
        pass
