"""Where a data set goes, whether it fits there, and how its size is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.data import roots
from pipeline.data.fetch.place import RESERVE, gigabytes, require_room, root_for
from pipeline.errors import UserError


def test_what_fits_passes_and_what_does_not_is_said(tmp_path: Path) -> None:
    require_room(tmp_path, 1000, "this")
    with pytest.raises(UserError, match=r"this needs 1000000000\.0 GB in .*; make room"):
        require_room(tmp_path, 10**18, "this")


def test_a_reserve_stays_free(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(UserError, match="make room and run again, or choose another disk"):
        require_room(tmp_path, free - RESERVE // 2, "this")


def test_a_folder_that_is_still_to_be_made_is_measured_by_its_disk(tmp_path: Path) -> None:
    require_room(tmp_path / "not/yet/there", 1000, "this")


def test_sizes_for_people() -> None:
    assert [gigabytes(n) for n in (0, 815_585_330, 19_336_861_798)] == [
        "0.0 MB",
        "815.6 MB",
        "19.3 GB",
    ]


def test_roots(tmp_path: Path) -> None:
    assert root_for("toy", None) == tmp_path / "datasets/toy"
    assert root_for("toy", tmp_path / "x") == tmp_path / "x"
    roots.add("data", "toy", tmp_path)
    with pytest.raises(UserError, match=r"which was not fetched; say where .* --to FOLDER"):
        root_for("toy", None)
    (tmp_path / ".fetch").mkdir()
    assert root_for("toy", None) == tmp_path
