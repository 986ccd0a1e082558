"""Reading: by id, in workers, and never labels that are stale or damaged."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset

from pipeline.errors import UserError
from pipeline.files import read_json
from pipeline.labels import LabelStore, merge, write_shards
from tests.labels.labelling import SPEC, files, predict


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that no test writes to."""
    folder = tmp_path_factory.mktemp("merged")
    write_shards(SPEC, folder, predict)
    merge(SPEC, folder)
    return folder


@pytest.fixture
def mine(merged: Path, tmp_path: Path) -> Path:
    """A copy that the test may damage."""
    return shutil.copytree(merged, tmp_path / "store")


class Maps(Dataset[np.ndarray]):
    """As training reads labels."""

    def __init__(self, store: LabelStore) -> None:
        self.store = store

    def __len__(self) -> int:
        return len(self.store)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.store[self.store.ids[index]]


def test_a_store_is_a_mapping_from_id_to_map(merged: Path) -> None:
    store = LabelStore(merged)
    assert len(store) == 47
    assert store.ids == SPEC.ids
    assert "image-046" in store
    assert "image-047" not in store
    assert store["image-046"].shape == (6, 8)
    assert store["image-046"].dtype == np.float32
    store.verify()


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_loader_workers_read_what_the_parent_reads(merged: Path, context: str) -> None:
    store = LabelStore(merged)
    expected = np.stack([store[name] for name in store.ids])
    loader = DataLoader(Maps(store), batch_size=10, num_workers=1, multiprocessing_context=context)
    np.testing.assert_array_equal(np.concatenate([batch.numpy() for batch in loader]), expected)


def test_stored_numbers_are_the_files(merged: Path) -> None:
    stored = LabelStore(merged).stored("image-005")
    data = (merged / "shard-00001.u8").read_bytes()
    assert stored.dtype == np.uint8
    assert stored.tobytes() == data[6 * 8 : 2 * 6 * 8]
    with pytest.raises(ValueError, match="read-only"):
        stored[0, 0] = 1


def test_pickle_carries_no_maps(merged: Path) -> None:
    store = LabelStore(merged)
    fresh = len(pickle.dumps(store))
    maps = [store[name] for name in store.ids]
    copy = pickle.loads(pickle.dumps(store))
    assert len(pickle.dumps(store)) == fresh
    np.testing.assert_array_equal(np.stack([copy[name] for name in copy.ids]), np.stack(maps))


def test_a_returned_map_is_the_callers_own(merged: Path) -> None:
    store = LabelStore(merged)
    store["image-000"][:] = 9
    assert store["image-000"].max() <= 1


def test_log_densities_come_back_as_they_are(tmp_path: Path) -> None:
    spec = replace(SPEC, dtype="f16")
    write_shards(spec, tmp_path, lambda ids: -20 * predict(ids))
    merge(spec, tmp_path)
    assert (tmp_path / "shard-00000.f16").is_file()
    np.testing.assert_allclose(
        LabelStore(tmp_path)["image-001"], -20 * predict(SPEC.ids[:3])[1], rtol=2**-11
    )


def test_manifest_states_what_the_labels_are(merged: Path) -> None:
    manifest = read_json(merged / "labels.json")
    assert manifest["teacher"] == "salgan"
    assert manifest["device_type"] == "cpu"
    assert manifest["count"] == 47
    assert manifest["key"] == SPEC.key()
    assert len(manifest["shards"]) == 12
    assert "ids" not in manifest


def test_stale_labels_are_refused_with_both_hashes(merged: Path) -> None:
    LabelStore(merged, teacher_hash="teacher-1", preprocessing_hash="preprocessing-1")
    with pytest.raises(UserError, match=r"teacher_hash teacher-1, but teacher-2 is in use"):
        LabelStore(merged, teacher_hash="teacher-2")
    with pytest.raises(UserError, match=r"preprocessing_hash preprocessing-1, but other is in use"):
        LabelStore(merged, preprocessing_hash="other")


def test_an_unknown_image_says_what_is_held(merged: Path) -> None:
    with pytest.raises(
        UserError, match=r"no label for image 'cat'.* 47 images such as 'image-000'"
    ):
        LabelStore(merged)["cat"]


def test_an_unmerged_store_is_refused(tmp_path: Path) -> None:
    write_shards(SPEC, tmp_path, predict)
    with pytest.raises(UserError, match=r"labels\.json is missing"):
        LabelStore(tmp_path)


def test_a_store_relabelled_by_another_teacher_is_refused_until_merged(mine: Path) -> None:
    other = replace(SPEC, ids=SPEC.ids[::-1])
    write_shards(other, mine, predict, rank=0, world=2)
    with pytest.raises(UserError, match="not one store"):
        LabelStore(mine)
    with pytest.raises(UserError, match="and 1 more shards"):
        merge(other, mine)
    write_shards(other, mine, predict)
    merge(other, mine)
    assert LabelStore(mine).ids == SPEC.ids[::-1]


def test_a_merge_names_every_bad_shard_and_what_to_do(mine: Path) -> None:
    (mine / "shard-00002.u8").unlink()
    content = (mine / "shard-00005.u8").read_bytes()
    (mine / "shard-00005.u8").write_bytes(content[::-1])
    (mine / "shard-00007.json").unlink()
    with pytest.raises(UserError) as caught:
        merge(SPEC, mine)
    message = str(caught.value)
    assert "shard-00002.u8 is missing" in message
    assert "shard-00005.u8 is corrupted" in message
    assert "shard-00007.json is missing" in message
    assert "shard-00003" not in message
    assert "mend it with `python -m pipeline.stages.label salgan`" in message
    assert write_shards(SPEC, mine, predict) == 3
    merge(SPEC, mine)


def test_files_of_other_labels_are_not_merged(mine: Path) -> None:
    fewer = replace(SPEC, ids=SPEC.ids[:8])
    write_shards(fewer, mine, predict)
    with pytest.raises(UserError, match=r"20 files of other labels, first shard-00002\.json"):
        merge(fewer, mine)


def test_a_truncated_shard_is_never_mapped(mine: Path) -> None:
    store = LabelStore(mine)
    data = mine / "shard-00001.u8"
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"191 bytes, not 192; mend it with .*stages\.label store`"):
        store["image-005"]
    assert store["image-000"].shape == (6, 8)


@settings(max_examples=150)
@given(data=st.data())
def test_any_damage_is_found(
    merged: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Change a byte, cut the end or add one, in any file: refused on opening or by `verify`."""
    whole = files(merged)
    name = data.draw(st.sampled_from(sorted(whole)))
    damaged = bytearray(whole[name])
    place = data.draw(st.integers(0, len(damaged) - 1))
    how = data.draw(st.sampled_from(["change", "cut", "add"]))
    if how == "change":
        damaged[place] ^= data.draw(st.integers(1, 255))
    elif how == "cut":
        del damaged[place:]
    else:
        damaged.insert(place, data.draw(st.integers(0, 255)))
    folder = tmp_path_factory.mktemp("damaged", numbered=True)
    for other, content in whole.items():
        (folder / other).write_bytes(content)
    (folder / name).write_bytes(damaged)
    if name.endswith(".json") and _same_json(folder / name, merged / name):
        return  # white space between the tokens carries nothing
    with pytest.raises(UserError):
        LabelStore(folder).verify()


def _same_json(first: Path, second: Path) -> bool:
    try:
        return bool(read_json(first) == read_json(second))
    except UserError:
        return False


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("shard-00003.u8", r"shard-00003\.u8 is corrupted \(its SHA-256 is not the one in"),
        ("shard-00003.json", r"shard-00003\.json is missing or no JSON|not one store"),
        ("labels.json", r"labels\.json is not valid JSON"),
    ],
)
def test_damage_is_named_with_the_way_to_mend_it(mine: Path, name: str, message: str) -> None:
    data = bytearray((mine / name).read_bytes())
    data[len(data) // 2] ^= 0x80
    (mine / name).write_bytes(data)
    mend = r"python -m pipeline\.stages\.label \w+`.* or all of it with `dvc repro -f label@"
    with pytest.raises(UserError, match=f"({message}).*{mend}"):
        LabelStore(mine).verify()


def test_only_damaged_shards_are_labelled_again(merged: Path, mine: Path, tmp_path: Path) -> None:
    """Into an empty folder, with the damaged store beside it: as the stage does."""
    for name in ("shard-00003.u8", "shard-00007.json"):
        (mine / name).write_bytes(b"damaged")
    (mine / "shard-00009.u8").unlink()
    (mine / "labels.json").write_bytes(b"")
    labelled: list[str] = []

    def seen(ids: Sequence[str]) -> np.ndarray:
        labelled.extend(ids)
        return predict(ids)

    assert write_shards(SPEC, tmp_path / "new", seen, earlier=mine) == 3
    assert labelled == [i for shard in (3, 7, 9) for i in SPEC.shard_ids(shard)]
    merge(SPEC, tmp_path / "new")
    assert files(tmp_path / "new") == files(merged)


def test_shards_of_other_labels_are_not_taken_over(merged: Path, tmp_path: Path) -> None:
    other = replace(SPEC, teacher_hash="teacher-2")
    assert write_shards(other, tmp_path, predict, earlier=merged) == SPEC.shards


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@settings(max_examples=150)
@given(name=st.sampled_from(["labels.json", "shard-00000.json"]), data=st.data())
def test_any_json_in_the_place_of_ours_is_refused(
    merged: Path, tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    """Whole values of other types, and ours with one value exchanged."""
    content = read_json(merged / name)
    key = data.draw(st.none() | st.sampled_from(sorted(content)))
    value = data.draw(JSON)
    changed = value if key is None else content | {key: value}
    if changed == content:
        return
    folder = tmp_path_factory.mktemp("changed", numbered=True)
    for other in merged.iterdir():
        (folder / other.name).symlink_to(other)
    (folder / name).unlink()
    (folder / name).write_text(json.dumps(changed))
    with pytest.raises(UserError):
        LabelStore(folder).verify()


def test_json_nested_without_end_is_refused(mine: Path) -> None:
    (mine / "labels.json").write_text("[" * 100_000)
    with pytest.raises(UserError, match="not valid JSON"):
        LabelStore(mine)
