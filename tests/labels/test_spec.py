from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.errors import UserError
from pipeline.labels import LabelSpec
from tests.labels.labelling import SPEC


def test_shards_cover_the_ids_once_in_order() -> None:
    assert SPEC.shards == 12
    joined = [name for shard in range(SPEC.shards) for name in SPEC.shard_ids(shard)]
    assert tuple(joined) == SPEC.ids
    assert len(SPEC.shard_ids(11)) == 3


def test_key_is_stable_across_versions_of_the_code() -> None:
    # A change here makes every user's labels stale: raise FORMAT if that is meant, else mend it.
    assert SPEC.key() == "ee2b17606c9bc642bebee115764219a972ed643beb05004339f805f3fa21571a"


@pytest.mark.parametrize(
    "change",
    [
        {"teacher": "deepgaze2"},
        {"teacher_hash": "teacher-2"},
        {"preprocessing_hash": "preprocessing-2"},
        {"height": 7},
        {"width": 9},
        {"device_type": "cuda"},
        {"dtype": "f16"},
        {"shard_size": 5},
        {"batch_size": 2},
        {"ids": SPEC.ids[::-1]},
        {"ids": SPEC.ids[1:]},
    ],
)
def test_key_changes_with_every_field(change: dict[str, object]) -> None:
    assert replace(SPEC, **change).key() != SPEC.key()


def test_header_and_ids_give_the_spec_back() -> None:
    assert LabelSpec.from_header(SPEC.header(), SPEC.ids) == SPEC


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ids": ("a", "b", "a", "c", "b")}, "2 ids occur more than once, first 'a'"),
        ({"ids": ()}, "no image to label"),
        ({"dtype": "u4"}, "'u4' is unknown; use one of u8, f16"),
        ({"height": 0}, "height=0 must be 1 or more"),
        ({"batch_size": -1}, "batch_size=-1"),
    ],
)
def test_a_spec_that_cannot_be_labelled_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        replace(SPEC, **change)
