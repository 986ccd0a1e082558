"""Batches are pure functions of seed, epoch and step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.augment import View
from pipeline.data.sampler import BatchPlan, Pick, flips, order, steps

SIZE, BATCH = st.integers(1, 60), st.integers(1, 20)
SEED, EPOCH = st.integers(0, 2**32), st.integers(0, 500)


@given(SIZE, BATCH, SEED, EPOCH)
def test_every_image_comes_once_per_epoch(size: int, batch: int, seed: int, epoch: int) -> None:
    batches = list(BatchPlan(size, batch, seed, epoch))
    assert sorted(pick.index for picks in batches for pick in picks) == list(range(size))
    assert len(batches) == steps(size, batch)
    assert all(len(picks) == batch for picks in batches[:-1])


@given(SIZE, BATCH, SEED, EPOCH, st.booleans(), st.booleans(), st.data())
def test_going_on_at_any_step_yields_the_same_tail(
    size: int, batch: int, seed: int, epoch: int, flip: bool, drop: bool, data: st.DataObject
) -> None:
    def plan(first: int) -> BatchPlan:
        return BatchPlan(size, batch, seed, epoch, first, flip, drop)

    whole = list(plan(0))
    first = data.draw(st.integers(0, len(whole)))
    assert list(plan(first)) == whole[first:]
    assert len(plan(first)) == len(whole) - first


@given(SIZE, BATCH, SEED, EPOCH)
def test_dropping_the_last_batch_leaves_whole_ones(
    size: int, batch: int, seed: int, epoch: int
) -> None:
    kept = list(BatchPlan(size, batch, seed, epoch, drop_last=True))
    assert all(len(picks) == batch for picks in kept)
    assert kept == list(BatchPlan(size, batch, seed, epoch))[: size // batch]


def test_orders_differ_between_epochs_and_seeds() -> None:
    orders = {tuple(order(30, seed, epoch)) for seed in range(3) for epoch in range(4)}
    assert len(orders) == 12


def test_the_order_is_the_same_in_every_release() -> None:
    assert order(8, 0, 0) == ORDER_8_0_0
    assert [flips(0, 0, i) for i in range(12)] == FLIPS_0_0


def test_flips_are_a_fair_coin_for_each_epoch() -> None:
    coins = [[flips(0, epoch, index) for index in range(200)] for epoch in range(10)]
    assert 900 < sum(map(sum, coins)) < 1100
    assert coins[0] != coins[1]


def test_flips_only_when_asked() -> None:
    assert not any(pick.view.flip for picks in BatchPlan(40, 8, 0, 0) for pick in picks)
    shown = [p for picks in BatchPlan(40, 8, 0, 3, flip=True) for p in picks]
    assert shown == [Pick(p.index, View(flips(0, 3, p.index))) for p in shown]


def test_impossible_plans_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        BatchPlan(10, 0, 0, 0)
    for first in (-1, 4):
        with pytest.raises(ValueError, match="outside the epoch"):
            BatchPlan(10, 4, 0, 0, first)


ORDER_8_0_0 = [2, 4, 3, 6, 5, 0, 1, 7]
FLIPS_0_0 = [True, True, False, False, True, False, True, True, True, False, False, False]
