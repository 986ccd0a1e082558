"""The ledger: what is added is read back, the last row of a run counts, damage is named."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.ablation import ledger
from benchmarks.ablation.ledger import Entry
from pipeline.errors import UserError
from tests.benchmarks.made_up import entry

NAMES = st.text(min_size=1, max_size=8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ENTRIES = st.builds(
    Entry,
    study=NAMES,
    row=NAMES,
    seed=st.integers(0, 9),
    given=st.lists(NAMES).map(tuple),
    overrides=st.lists(NAMES).map(tuple),
    config=NAMES,
    epochs=st.dictionaries(NAMES, st.integers(0, 99)),
    steps=st.integers(0, 10**9),
    metrics=st.none() | st.dictionaries(NAMES, NUMBERS),
    others=st.dictionaries(NAMES, st.dictionaries(NAMES, NUMBERS, max_size=2), max_size=2),
    hint_loss=st.none() | NUMBERS,
    seconds=st.dictionaries(NAMES, st.none() | NUMBERS, max_size=2),
    images=st.dictionaries(NAMES, st.integers(0, 10**6), max_size=2),
    code=st.lists(NAMES, max_size=2).map(tuple),
    versions=st.dictionaries(NAMES, NAMES, max_size=2),
    experiment=st.none() | NAMES,
)


@given(ENTRIES)
def test_a_row_is_read_back_as_it_was_written(written: Entry) -> None:
    line = ledger.text(written)
    assert "\n" not in line
    assert ledger.parse(line, "here") == written


@given(st.text())
def test_any_text_is_a_row_or_a_mistake_of_the_user(text: str) -> None:
    with pytest.raises(UserError, match="here"):
        ledger.parse(text, "here")


@given(st.sampled_from(sorted(ledger.KINDS)), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
))  # fmt: skip
def test_any_value_in_a_row_is_taken_or_named(name: str, value: object) -> None:
    row = json.loads(ledger.text(entry())) | {name: value}
    with contextlib.suppress(UserError):
        read = ledger.parse(json.dumps(row), "here")
        assert ledger.parse(ledger.text(read), "here") == read


def test_rows_are_added_and_the_last_of_a_run_counts(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    assert ledger.read(path) == []
    planned, other = entry(metrics=None), entry(seed=1)
    ledger.add(path, [planned, other])
    ledger.add(path, [entry()])
    assert len(path.read_text().splitlines()) == 3
    assert ledger.read(path) == [entry(), other]
    assert [e.done for e in (planned, other)] == [False, True]


def test_a_row_after_a_line_without_an_end_stands_on_its_own(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text(ledger.text(entry()))
    ledger.add(path, [entry(seed=1)])
    assert [e.seed for e in ledger.read(path)] == [0, 1]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "is not valid JSON"),
        ("[]", "not an object"),
        ("{}", "it lacks 'study'"),
        (json.dumps(json.loads(ledger.text(entry())) | {"colour": 1}), "'colour' is not known"),
        (json.dumps(json.loads(ledger.text(entry())) | {"seed": -1}), "seed is '-1'"),
    ],
)
def test_damage_is_named_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text(f"{ledger.text(entry())}\n\n{line}\n")
    with pytest.raises(UserError, match=rf"ledger\.jsonl, line 3 .*{message}"):
        ledger.read(path)


def test_what_is_no_text_is_no_ledger(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").write_bytes(b"\xff\xfe\x80")
    with pytest.raises(UserError, match="cannot be read as a ledger"):
        ledger.read(tmp_path / "ledger.jsonl")
