"""SALICON fixation files: round trips, the shapes other tools write, and refusals."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from pipeline.data.fixations import Fixations, read_mat, write_mat
from pipeline.errors import UserError

POINT = st.tuples(st.integers(-3, 70), st.integers(-3, 50))
PATHS = st.lists(st.lists(POINT, max_size=5), max_size=4)


@settings(max_examples=60)
@given(PATHS)
def test_what_is_written_is_read(paths: list[list[tuple[int, int]]]) -> None:
    scanpaths = [np.array(path, dtype=np.int64).reshape(-1, 2) for path in paths]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "a.mat"
        write_mat(file, "a", 48, 64, scanpaths)
        found = read_mat(file)
    assert (found.height, found.width) == (48, 64)
    expected = np.concatenate([*scanpaths, np.zeros((0, 2))])
    np.testing.assert_array_equal(found.points, expected)
    assert found.viewer.tolist() == [v for v, path in enumerate(paths) for _ in path]
    inside = [(x, y) for path in paths for x, y in path if 0 <= x < 64 and 0 <= y < 48]
    assert found.dropped == len(expected) - len(inside)
    counts = found.counts()
    assert counts.sum() == len(inside)
    for x, y in inside:
        assert counts[y, x] == inside.count((x, y))


@given(st.lists(POINT, max_size=30), st.integers(1, 100), st.integers(1, 100))
def test_no_size_loses_or_adds_fixations(
    points: list[tuple[int, int]], height: int, width: int
) -> None:
    array = np.array(points, dtype=np.float32).reshape(-1, 2)
    found = Fixations(array, np.zeros(len(points), dtype=np.int64), 48, 64)
    counts = found.counts(height, width)
    assert counts.shape == (height, width)
    assert counts.sum() == len(points) - found.dropped


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    for name in ("a.mat", "b.mat"):
        write_mat(tmp_path / name, "image", 48, 64, [np.array([[1, 2], [3, 4]])])
    assert (tmp_path / "a.mat").read_bytes() == (tmp_path / "b.mat").read_bytes()


FIRST, SECOND = np.array([[1, 1], [64, 48]]), np.array([[5, 7]])


def viewers(*shape: int) -> np.ndarray:
    """A struct array of two viewers in any shape, 1-based as in the data set."""
    gaze = np.empty(2, dtype=[("location", object), ("timestamp", object), ("fixations", object)])
    gaze[0] = (FIRST, np.zeros((2, 1)), FIRST)
    gaze[1] = (SECOND, np.zeros((1, 1)), SECOND)
    return gaze.reshape(shape)


@pytest.mark.parametrize("shape", [(2, 1), (1, 2)])
def test_viewers_in_rows_or_columns(tmp_path: Path, shape: tuple[int, int]) -> None:
    save(tmp_path / "a.mat", gaze=viewers(*shape))
    found = read_mat(tmp_path / "a.mat")
    assert found.points.tolist() == [[0, 0], [63, 47], [4, 6]]
    assert found.viewer.tolist() == [0, 0, 1]
    assert found.counts()[47, 63] == 1


def test_a_single_viewer(tmp_path: Path) -> None:
    save(tmp_path / "a.mat", gaze={"fixations": SECOND})
    assert read_mat(tmp_path / "a.mat").points.tolist() == [[4, 6]]


@pytest.mark.parametrize("nothing", [np.zeros((0, 0)), np.zeros((0, 2)), np.zeros((1, 0))])
def test_viewers_without_fixations_count_as_viewers(tmp_path: Path, nothing: np.ndarray) -> None:
    gaze = viewers(2, 1)
    gaze[0, 0]["fixations"] = nothing
    save(tmp_path / "a.mat", gaze=gaze)
    found = read_mat(tmp_path / "a.mat")
    assert found.points.tolist() == [[4, 6]]
    assert found.viewer.tolist() == [1]


def test_points_that_are_no_numbers_are_left_out(tmp_path: Path) -> None:
    save(tmp_path / "a.mat", gaze={"fixations": np.array([[np.nan, 3.0], [2.0, 3.0]])})
    found = read_mat(tmp_path / "a.mat")
    assert found.points.tolist() == [[1, 2]]
    assert (found.blank, found.dropped) == (1, 1)


def test_points_far_away_are_dropped_and_counted(tmp_path: Path) -> None:
    far = np.array([[1e300, 1.0], [-5.0, 3.0], [64.0, 48.0], [65.0, 48.0]])
    save(tmp_path / "a.mat", gaze={"fixations": far})
    found = read_mat(tmp_path / "a.mat")
    assert found.dropped == 3
    assert found.counts().sum() == found.counts()[47, 63] == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"eyes": 1}, r"a\.mat has no 'gaze' \(found eyes, image, resolution\)"),
        ({"gaze": {"fixations": np.zeros((3, 5))}}, r"shape \(3, 5\); expected \(n, 2\)"),
        ({"gaze": {"location": SECOND}}, "no 'fixations' per viewer"),
        ({"gaze": 3.0}, "no 'fixations' per viewer"),
        ({"gaze": viewers(2, 1), "resolution": []}, "no 'resolution'"),
        ({"gaze": viewers(2, 1), "resolution": [[np.nan, 64]]}, "no 'resolution'"),
        ({"gaze": viewers(2, 1), "resolution": "48x64"}, "no 'resolution'"),
        ({"gaze": viewers(2, 1), "resolution": [[1e9, 1e9]]}, "a resolution of 1e.09x1e.09"),
        ({"gaze": {"fixations": "left"}}, r"fixations in .*a\.mat are no numbers"),
        ({"gaze": {"fixations": np.ones((2, 2)) * 1j}}, "a complex one"),
        ({"gaze": "watched"}, "no 'fixations' per viewer"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: dict, message: str) -> None:
    save(tmp_path / "a.mat", **content)
    with pytest.raises(UserError, match=message):
        read_mat(tmp_path / "a.mat")


def test_damaged_and_missing_files_are_named(tmp_path: Path) -> None:
    write_mat(tmp_path / "a.mat", "a", 48, 64, [SECOND])
    whole = (tmp_path / "a.mat").read_bytes()
    (tmp_path / "a.mat").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"a\.mat is damaged"):
        read_mat(tmp_path / "a.mat")
    with pytest.raises(UserError, match=r"b\.mat is missing"):
        read_mat(tmp_path / "b.mat")


def save(path: Path, **content: object) -> None:
    savemat(path, {"image": "a", "resolution": [[48, 64]]} | content)
