"""The zip: exact names, the same bytes every time, whole or absent."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.submission.archive import require_name, write

FILES = [("Action/101.png", b"one"), ("Action/102.png", b"two"), ("i1.npy", b"0" * 999)]


def test_it_holds_what_it_was_given_in_order(tmp_path: Path) -> None:
    assert write(tmp_path / "deep/er/a.zip", FILES) == 3
    with zipfile.ZipFile(tmp_path / "deep/er/a.zip") as archive:
        assert archive.testzip() is None
        assert [(name, archive.read(name)) for name in archive.namelist()] == FILES
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_equal_files_make_equal_bytes(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        write(tmp_path / name, FILES)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize("error", [UserError, KeyboardInterrupt])
def test_what_was_there_stays_when_it_goes_wrong(
    tmp_path: Path, error: type[BaseException]
) -> None:
    def broken() -> Iterator[tuple[str, bytes]]:
        yield FILES[0]
        raise error("stop")

    path = tmp_path / "a.zip"
    with pytest.raises(error):
        write(path, broken())
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"before")
    with pytest.raises(error):
        write(path, broken())
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"before"]


def test_only_a_zip_is_written(tmp_path: Path) -> None:
    require_name(tmp_path / "a.zip")
    (tmp_path / "folder.zip").mkdir()
    for name in ("a.tar", "a", "folder.zip"):
        with pytest.raises(UserError, match="give the zip to write"):
            require_name(tmp_path / name)
