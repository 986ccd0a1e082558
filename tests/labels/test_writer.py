"""The same bytes whoever writes them, however often they are interrupted."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.labels import LabelStore, merge, write_shards
from tests.labels.labelling import SPEC, files, predict


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Files of an uninterrupted run by one process."""
    folder = tmp_path_factory.mktemp("whole")
    assert write_shards(SPEC, folder, predict) == SPEC.shards
    return files(folder)


def test_a_store_is_two_files_per_shard(whole: dict[str, bytes]) -> None:
    assert len(whole) == 2 * SPEC.shards
    assert len(whole["shard-00000.u8"]) == 4 * 6 * 8
    assert len(whole["shard-00011.u8"]) == 3 * 6 * 8


def test_maps_are_those_predicted_batch_by_batch(tmp_path: Path) -> None:
    write_shards(SPEC, tmp_path, predict)
    merge(SPEC, tmp_path)
    store = LabelStore(tmp_path)
    for batch in (SPEC.ids[0:3], SPEC.ids[3:4], SPEC.ids[4:7]):
        stored = np.stack([store[name] for name in batch])
        np.testing.assert_allclose(stored, predict(batch), atol=0.5 / 255 + 1e-7)


@settings(max_examples=15)
@given(world=st.integers(1, 15), order=st.randoms(use_true_random=False))
def test_any_number_of_ranks_in_any_order_writes_the_same_bytes(
    whole: dict[str, bytes],
    tmp_path_factory: pytest.TempPathFactory,
    world: int,
    order: object,
) -> None:
    folder = tmp_path_factory.mktemp("ranks")
    ranks = list(range(world))
    order.shuffle(ranks)  # type: ignore[attr-defined]
    written = [write_shards(SPEC, folder, predict, rank=rank, world=world) for rank in ranks]
    assert sum(written) == SPEC.shards
    assert files(folder) == whole


def test_predict_never_sees_two_shards_at_once(tmp_path: Path) -> None:
    calls: list[tuple[str, ...]] = []

    def record(ids: Sequence[str]) -> NDArray[np.float32]:
        calls.append(tuple(ids))
        return predict(ids)

    write_shards(SPEC, tmp_path, record)
    expected = []
    for shard in range(SPEC.shards):
        ids = SPEC.shard_ids(shard)
        expected += [ids[:3], ids[3:]]
    assert calls == [batch for batch in expected if batch]


def test_complete_shards_are_kept_and_progress_counts_them(
    tmp_path: Path, whole: dict[str, bytes]
) -> None:
    write_shards(SPEC, tmp_path, predict, rank=0, world=2)
    seen: list[tuple[int, int]] = []
    written = write_shards(
        SPEC, tmp_path, predict, on_progress=lambda done, total: seen.append((done, total))
    )
    assert written == SPEC.shards // 2
    assert seen[0] == (4, 47)
    assert seen[-1] == (47, 47)
    assert len(seen) == SPEC.shards
    assert files(tmp_path) == whole


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove", "no sidecar", "empty sidecar"])
def test_a_damaged_shard_is_labelled_anew(
    tmp_path: Path, whole: dict[str, bytes], damage: str
) -> None:
    write_shards(SPEC, tmp_path, predict)
    data, sidecar = tmp_path / "shard-00003.u8", tmp_path / "shard-00003.json"
    content = bytearray(data.read_bytes())
    if damage == "flip":
        content[17] ^= 1
        data.write_bytes(content)
    elif damage == "truncate":
        data.write_bytes(content[:-1])
    elif damage == "remove":
        data.unlink()
    elif damage == "no sidecar":
        sidecar.unlink()
    else:
        sidecar.write_bytes(b"")
    assert write_shards(SPEC, tmp_path, predict) == 1
    assert files(tmp_path) == whole


def test_shards_of_another_teacher_are_not_reused(tmp_path: Path) -> None:
    write_shards(SPEC, tmp_path, predict)
    assert write_shards(replace(SPEC, teacher_hash="teacher-2"), tmp_path, predict) == SPEC.shards


def test_a_failing_teacher_leaves_whole_shards_only(
    tmp_path: Path, whole: dict[str, bytes]
) -> None:
    def fail_late(ids: Sequence[str]) -> NDArray[np.float32]:
        if "image-018" in ids:
            raise RuntimeError("out of memory")
        return predict(ids)

    with pytest.raises(RuntimeError, match="out of memory"):
        write_shards(SPEC, tmp_path, fail_late)
    found = files(tmp_path)
    assert len(found) == 2 * 4
    assert found.items() <= whole.items()


def test_stale_temporary_files_are_cleared_and_live_ones_left(
    tmp_path: Path, whole: dict[str, bytes]
) -> None:
    host = re.sub(r"[^A-Za-z0-9_.]", "_", platform.node())
    dead, alive = 2**22 + 1, os.getppid()  # no Linux process id is as high as the first
    stale = [
        f".shard-00001.u8.tmp-{host}-{dead}",
        f".shard-00001.json.tmp-{host}-{dead}",
        f".shard-00002.u8.tmp-{host}-{os.getpid()}",
    ]
    kept = [
        f".shard-00001.u8.tmp-{host}-{alive}",
        f".shard-00003.u8.tmp-another_host-{dead}",
    ]
    for name in stale + kept:
        (tmp_path / name).write_bytes(b"half a shard")
    write_shards(SPEC, tmp_path, predict)
    assert files(tmp_path).keys() == whole.keys() | set(kept)
    merge(SPEC, tmp_path)
    assert files(tmp_path).keys() == whole.keys() | {"labels.json"}


def test_another_ranks_temporary_files_are_not_touched(tmp_path: Path) -> None:
    other = tmp_path / f".shard-00001.u8.tmp-{platform.node()}-{2**22 + 1}"
    other.write_bytes(b"")
    write_shards(SPEC, tmp_path, predict, rank=0, world=2)
    assert other.exists()


def test_maps_of_a_wrong_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"salgan gave maps \(3, 8, 6\) .* needs \(3, 6, 8\)"):
        write_shards(SPEC, tmp_path, lambda ids: predict(ids).swapaxes(1, 2))
    assert files(tmp_path) == {}


@pytest.mark.parametrize(("rank", "world"), [(1, 1), (-1, 2), (0, 0)])
def test_a_rank_outside_the_world_is_refused(tmp_path: Path, rank: int, world: int) -> None:
    with pytest.raises(ValueError, match=f"rank {rank} is not in"):
        write_shards(SPEC, tmp_path, predict, rank=rank, world=world)


def test_an_unwritable_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "shard-00000.u8").mkdir()
    with pytest.raises(
        UserError, match=r"shard-00000\.u8 is in the way: .*; complete shards are kept"
    ):
        write_shards(SPEC, tmp_path, predict)
