"""Latency rows of the past: appended whole, by any number of processes, and read back."""

from __future__ import annotations

import json
import multiprocessing
import re
from pathlib import Path

import pytest

from mobile import history
from pipeline.errors import UserError
from tests.mobile.test_latency_row import row


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    chosen = tmp_path / "of a user" / "history.jsonl"
    monkeypatch.setenv("FOVEA_HISTORY", str(chosen))
    return chosen


def test_rows_are_appended_with_date_and_commit(file: Path) -> None:
    assert history.append([row(), row(recipe="litert_int8")]) == file
    history.append([row(p50_ms=8.2)])
    entries = history.read(file)
    assert [e.row for e in entries] == [row(), row(recipe="litert_int8"), row(p50_ms=8.2)]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", e.at) for e in entries)
    assert all(re.fullmatch(r"[0-9a-f]{12}\+?", e.revision or "") for e in entries)


def test_without_a_checkout_the_commit_is_unknown(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_ROOT", tmp_path)
    history.append([row()])
    assert history.read(file)[0].revision is None


def _append(times: int) -> None:
    for _ in range(times):
        history.append([row(), row(recipe="litert_int8")])


def test_several_processes_append_whole_lines(file: Path) -> None:
    workers = [multiprocessing.Process(target=_append, args=(5,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    names = [entry.row.recipe for entry in history.read(file)]
    assert names == ["litert_fp32", "litert_int8"] * 15  # pairs stay together, too


def test_rows_of_an_older_schema_are_left_out(file: Path) -> None:
    history.append([row()])
    old = {key: value for key, value in row().row().items() if key != "p95_ms"} | {"schema": 1}
    with file.open("a") as stream:
        stream.write(json.dumps({"at": "2020", "revision": None, "row": old}) + "\n")
    assert len(history.read(file)) == 1


@pytest.mark.parametrize("line", ["{", "[]", '"text"', '{"at": "2020"}'])
def test_what_is_no_measurement_is_named_by_line(line: str, file: Path) -> None:
    history.append([row()])
    with file.open("a") as stream:
        stream.write(f"{line}\n")
    with pytest.raises(UserError, match=r"history\.jsonl:2 is no measurement"):
        history.read(file)


def test_a_history_that_cannot_be_written_loses_no_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("FOVEA_HISTORY", str(tmp_path / "a file" / "history.jsonl"))
    with pytest.raises(UserError, match="could not write"):
        history.append([row()])
    history.keep([row()])
    assert "not added to the history" in capsys.readouterr().err
