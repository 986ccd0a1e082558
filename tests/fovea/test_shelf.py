"""The shelf: listed, shown and removed by the first digits of a hash, never the wrong entry."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fovea.cli import main
from fovea.commands.shelf import METRICS, OVER_ALL
from pipeline import shelf, tasks
from pipeline.errors import UserError
from pipeline.files import read_json, write_json
from tests.fovea.conftest import RECIPES, command


def test_entries_are_listed_with_sizes_and_metrics(
    shelve: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    homes = [shelve(content=b"one"), shelve("other", b"two")]
    assert main(["shelf", "list"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["hash", "student", "made", "files", "MiB", "NSS", "CC"]
    for home in homes:
        line = next(line for line in lines if line.startswith(home.name)).split()
        assert line[1] == home.parent.name
        assert line[-4] == str(len(RECIPES))
        assert line[-2:] == ["1.5000", "0.6000"]


def test_every_task_has_columns_of_its_own(
    shelve: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    shelve(content=b"one")
    made = {
        "salient_object": {"S": 0.81, "F": 0.82, "maxF": 0.9},
        "semantic": {"accuracy": 0.91, "IoU": 0.5, "mIoU": 0.45},
    }
    for task, metrics in made.items():
        path = shelve(task, task.encode()) / "bundle" / "manifest.json"
        content = read_json(path)
        content["spec"]["task"] = task
        content["lineage"]["torch_metrics"]["student"] = metrics
        write_json(path, content)
    assert main(["shelf", "list"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[5:] == ["NSS", "CC", "S", "F", "mIoU"]
    assert {line.split()[1]: line.split()[6:] for line in lines} == {
        "tiny": ["1.5000", "0.6000"],
        "salient_object": ["0.8100", "0.8200"],
        "semantic": ["0.4500"],
    }
    key = next(line.split()[0] for line in lines if " semantic " in line)
    assert main(["shelf", "show", key]) == 0
    shown = capsys.readouterr().out.splitlines()[2:4]
    assert shown[0].split()[:4] == ["file", "MiB", "accuracy", "IoU"]
    assert shown[1].split() == ["torch", "0.9100", "0.5000"]


def test_the_columns_are_what_the_tasks_are_judged_by() -> None:
    for name, metrics in METRICS.items():
        assert tasks.get(name).gated == metrics
    for name, metrics in OVER_ALL.items():
        assert tasks.get(name).over_all == metrics


def test_an_empty_shelf_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shelf", "list"]) == 0
    assert "the shelf is empty" in capsys.readouterr().err


def test_one_entry_is_shown_with_its_files(
    shelve: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    home = shelve()
    assert main(["shelf", "show", home.name[:5]]) == 0
    said = capsys.readouterr().out
    assert str(home) in said
    assert all(f"\n{recipe} " in said for recipe in (*RECIPES, "torch"))


def test_an_entry_with_a_damaged_manifest_is_still_listed_and_removed(
    shelve: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    home = shelve()
    (home / "bundle" / "manifest.json").write_text("{")
    assert main(["shelf", "list"]) == 0
    assert home.name in capsys.readouterr().out
    assert main(["shelf", "show", home.name]) == 0
    assert main(["shelf", "remove", home.name, "--yes"]) == 0
    assert shelf.entries() == []


def test_remove_deletes_one_entry_and_leaves_the_others(shelve: Callable[..., Path]) -> None:
    first, second, other = shelve(content=b"1"), shelve(content=b"2"), shelve("other", b"3")
    assert main(["shelf", "remove", first.name, "--yes"]) == 0
    assert sorted(shelf.entries()) == sorted([second, other])
    assert main(["shelf", "remove", other.name, "--yes"]) == 0
    assert not other.parent.exists()
    assert [path.name for path in second.parent.iterdir()] == [second.name]


def test_remove_asks_and_takes_silence_for_a_no(shelve: Callable[..., Path]) -> None:
    home = shelve()
    done = command("shelf", "remove", home.name, data=b"")
    assert done.returncode == 2
    assert b"add --yes" in done.stderr
    assert shelf.entries() == [home]


@pytest.mark.parametrize("prefix", ["ffff0000ffff0000", "", "zz", "../..", "*"])
def test_what_names_no_entry_is_refused(prefix: str, shelve: Callable[..., Path]) -> None:
    shelve()
    with pytest.raises(UserError, match="no entry of the shelf"):
        shelf.select(prefix)


def test_a_prefix_of_several_entries_is_refused_with_their_names(
    shelve: Callable[..., Path],
) -> None:
    homes = [shelve(content=bytes([n])) for n in range(17)]  # 16 first digits for 17 entries
    assert len(homes) == len(set(homes))
    first = [home.name[0] for home in homes]
    digit = max(set(first), key=first.count)
    sharing = sorted(home.name for home in homes if home.name.startswith(digit))
    with pytest.raises(UserError, match="give more digits") as error:
        shelf.select(digit)
    assert all(name in str(error.value) for name in sharing)
    assert shelf.select(sharing[0]).name == sharing[0]


def test_entries_stand_from_old_to_new_and_half_done_ones_are_left_out(
    shelve: Callable[..., Path],
) -> None:
    old, new = shelve(content=b"1"), shelve(content=b"2")
    os.utime(old / "bundle" / "manifest.json", (1e9, 1e9))
    assert shelf.entries() == [old, new]
    new.rename(new.with_name(f".{new.name}.removed"))
    assert shelf.entries() == [old]
    assert shelf.entries("another") == []


def test_the_same_files_are_one_entry(shelve: Callable[..., Path]) -> None:
    assert shelve() == shelve()
    assert len(shelf.entries()) == 1
