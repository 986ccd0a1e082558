"""Architectures' studies: rows that build, claims about rows that exist, words that fit."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import pytest
import torch
import yaml

import students
from benchmarks.ablation.ledger import Entry
from benchmarks.ablation.studies import Row
from benchmarks.architectures.run import means
from benchmarks.architectures.studies import STUDIES, Study
from benchmarks.architectures.tables import agrees, markdown
from pipeline.config.load import compose
from pipeline.errors import UserError

ROWS = [(study, row) for study in STUDIES.values() for row in study.rows]
OF_A_STUDENT = "student.overrides."


@functools.cache
def base(study: str) -> Any:
    return compose(list(STUDIES[study].base)).student


@pytest.mark.parametrize(
    ("study", "row"), ROWS, ids=lambda each: each.key if isinstance(each, Row) else each.name
)
def test_every_row_is_a_student_that_builds(study: Study, row: Row) -> None:
    student = base(study.name)
    chosen: Mapping[str, Any] = student.overrides
    for override in row.overrides:
        key, _, value = override.partition("=")
        if not key.startswith(OF_A_STUDENT):
            continue
        name = key.removeprefix(OF_A_STUDENT)
        assert name in chosen, f"conf/student/{student.name}.yaml has no {name}: -S would refuse it"
        chosen = {**chosen, name: yaml.safe_load(value)}
    with torch.device("meta"):
        students.build(student.name, **chosen)


@pytest.mark.parametrize("study", STUDIES.values(), ids=lambda study: study.name)
def test_claims_and_figures_are_of_rows(study: Study) -> None:
    keys = {row.key for row in study.rows}
    assert len(keys) == len(study.rows)
    assert set(study.published) <= keys
    assert {each for c in study.claims for each in (c.better, c.worse)} <= keys


def entry(row: str, seed: int, value: float) -> Entry:
    metrics = {"maxF": value, "MAE": 0.1, "S": 0.8}
    return Entry("cii", row, seed, (), (), row, {"full": 3}, 10, metrics, {"mean map": metrics})


def test_a_sign_agrees_only_where_the_ranges_are_apart() -> None:
    study = STUDIES["cii"]
    claim = study.claims[0]
    worse = [entry(claim.worse, seed, value) for seed, value in enumerate((0.70, 0.72))]
    for values, word in (((0.8, 0.9), "agrees"), ((0.5, 0.6), "disagrees"), ((0.71, 0.9), "told")):
        better = [entry(claim.better, seed, value) for seed, value in enumerate(values)]
        assert word in agrees(study, claim, [*better, *worse])
    assert agrees(study, claim, worse) == ""


def test_the_page_has_means_spreads_and_what_ignores_the_image() -> None:
    page = markdown([entry("none", 0, 0.7), entry("none", 1, 0.8)])
    assert "| 1x1, apart | 0.7500 ± 0.0500 |" in page
    assert "| *mean map* | 0.7000 |" in page
    assert "not run" not in markdown([dataclasses.replace(entry("none", 0, 0.7), metrics=None)])


def test_images_apart_are_those_whose_id_begins_so() -> None:
    rows = [{"id": "horse1", "S": 0.5}, {"id": "horse2", "S": None}, {"id": "human1", "S": 0.9}]
    assert means(rows, "horse") == {"S": 0.5}
    with pytest.raises(UserError, match="begins with 'dog'"):
        means(rows, "dog")
