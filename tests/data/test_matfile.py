"""MATLAB 5 files read without trust: as SciPy reads them, and any damage is a plain error."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

from pipeline.data import matfile
from pipeline.data.fixations import read_mat, write_mat
from pipeline.errors import UserError

FIELDS = ("location", "fixations")


def saved(content: dict[str, Any], compressed: bool = True) -> bytes:
    stream = io.BytesIO()
    savemat(stream, content, do_compression=compressed)
    return stream.getvalue()


def read(data: bytes, name: str = "x") -> Any:
    return matfile.read(data, [name], FIELDS)[0][name]


ARRAYS = [
    np.arange(12.0).reshape(3, 4),
    np.arange(24).reshape(2, 3, 4).astype(np.int16),
    np.array([[np.nan, np.inf, -0.0]]),
    np.zeros((0, 3)),
    np.array([[255, 0]], dtype=np.uint8),
    np.array([[1.5, 2.5]], dtype=np.float32),
    np.array([[2**40]], dtype=np.int64),
]


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype} {a.shape}")
def test_numbers_as_scipy_reads_them(array: np.ndarray, compressed: bool) -> None:
    data = saved({"first": "text", "x": array, "last": [[1]]}, compressed)
    found = read(data)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, loadmat(io.BytesIO(data))["x"])


def test_structs_cells_and_texts() -> None:
    cell = np.empty((1, 2), dtype=object)
    cell[0, 0], cell[0, 1] = np.array([[1.0, 2.0]]), "seen"
    data = saved({"x": {"fixations": cell, "timestamp": np.zeros((5, 1))}})
    found = read(data)
    assert [sorted(element) for element in found] == [["fixations"]]
    numbers, text = found[0]["fixations"]
    assert numbers.tolist() == [[1, 2]]
    assert text == "seen"


def test_names_of_all_variables_are_told() -> None:
    assert matfile.read(saved({"a": 1, "b": "text"}), [], [])[1] == ["a", "b"]


def test_big_endian_files() -> None:
    """Written on a SPARC or PowerPC: by hand here, as no tool at hand writes them."""

    def element(kind: int, content: bytes) -> bytes:
        padding = b"\0" * (-len(content) % 8)
        return struct.pack(">II", kind, len(content)) + content + padding

    body = (
        element(6, struct.pack(">II", 6, 0))
        + element(5, struct.pack(">ii", 1, 2))
        + element(1, b"x")
        + element(9, struct.pack(">dd", 480.0, 640.0))
    )
    header = b"MATLAB 5.0".ljust(124) + struct.pack(">H", 0x0100) + b"MI"
    assert read(header + element(14, body)).tolist() == [[480, 640]]


def test_hdf5_files_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "a.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(512, b"\0"))
    with pytest.raises(UserError, match=r"a\.mat is a MATLAB 7\.3 file; save it again with '-v7'"):
        read_mat(tmp_path / "a.mat")


def test_a_bomb_is_not_unpacked() -> None:
    """A variable that grows beyond what any annotation needs ends before the memory does."""
    small = saved({"x": np.zeros((1, 4))}, compressed=False)
    matrix = small[128:-32] + b"\0" * matfile.MAX_BYTES
    packed = zlib.compress(matrix, 1)
    assert len(packed) < matfile.MAX_BYTES / 100
    with pytest.raises(ValueError, match="cut short or too large"):
        read(small[:128] + struct.pack("<II", 15, len(packed)) + packed)


def test_sizes_are_held_against_the_bytes_there_are() -> None:
    """A cell array that claims two billion values in a hundred bytes."""
    cell = np.empty((1, 2), dtype=object)
    cell[:] = 1.0
    data = bytearray(saved({"x": cell}, compressed=False))
    place = data.index(struct.pack("<ii", 1, 2), 128)
    data[place : place + 8] = struct.pack("<ii", 2**15, 2**16)
    with pytest.raises(ValueError, match="values do not fit into"):
        read(bytes(data))


POINTS = [np.array([[1, 2], [3, 4]]), np.array([[5, 6]]), np.zeros((0, 2))]
WHOLE: dict[str, bytes] = {}


@pytest.fixture(scope="module", autouse=True)
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "a.mat"
    write_mat(path, "image", 48, 64, POINTS)
    WHOLE["written"] = path.read_bytes()
    gaze = np.empty((2, 1), dtype=[(name, object) for name in ("location", "fixations")])
    for index in range(2):
        gaze[index, 0] = (np.ones((3, 2)), POINTS[index] + 1)
    WHOLE["plain"] = saved({"gaze": gaze, "resolution": [[48, 64]]}, compressed=False)
    return WHOLE["written"]


def attempt(folder: Path, data: bytes) -> np.ndarray | None:
    """The points read, or None for a refusal by `UserError`; anything else fails the test."""
    path = folder / "fuzzed.mat"
    path.write_bytes(data)
    try:
        found = read_mat(path)
    except UserError as error:
        if path.name not in str(error):
            raise
        return None
    assert found.counts().sum() + found.dropped == len(found.points) + found.blank
    return found.points


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@settings(max_examples=400)
@given(place=st.integers(0, 10**6), value=st.integers(1, 255))
def test_a_changed_byte_of_a_compressed_file_is_found_or_harmless(
    folder: Path, place: int, value: int
) -> None:
    data = bytearray(WHOLE["written"])
    data[place % len(data)] ^= value
    found = attempt(folder, bytes(data))
    assert found is None or found.tolist() == np.concatenate(POINTS).tolist()


@settings(max_examples=150)
@given(place=st.integers(0, 10**6), kind=st.sampled_from(["written", "plain"]))
def test_a_file_cut_short_is_found(folder: Path, place: int, kind: str) -> None:
    data = WHOLE[kind]
    assert attempt(folder, data[: place % len(data)]) is None


@settings(max_examples=400)
@given(st.data())
def test_any_words_in_an_unpacked_file_end_in_points_or_a_plain_error(
    folder: Path, data: st.DataObject
) -> None:
    """Sizes, kinds and counts are words of four bytes: those are what a reader trips over."""
    changed = bytearray(WHOLE["plain"])
    for _ in range(data.draw(st.integers(1, 4))):
        place = 4 * data.draw(st.integers(31, len(changed) // 4 - 1))
        word = data.draw(
            st.sampled_from([0, 1, 5, 14, 15, 2**31 - 1, 2**31, 2**32 - 1, 0x40001])
            | st.integers(0, 2**32 - 1)
        )
        changed[place : place + 4] = struct.pack("<I", word)
    attempt(folder, bytes(changed))


@settings(max_examples=200)
@given(st.binary(max_size=600))
@example(b"")
def test_any_bytes_behind_a_header_end_in_a_plain_error(folder: Path, data: bytes) -> None:
    assert attempt(folder, WHOLE["plain"][:128] + data) is None
    assert attempt(folder, data) is None
