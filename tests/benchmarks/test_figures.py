"""What the throughput benchmarks make of what they measure."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks import arithmetic, labels, memory, photographs
from benchmarks.interleaved import Used, in_turns, row, table
from pipeline.errors import UserError
from tests.data import trees

CPU = torch.device("cpu")


def test_a_row_compares_turn_by_turn() -> None:
    """A machine twice as busy in the second turn changes no ratio."""
    base = [Used(10, 1.0, 2.0), Used(10, 2.0, 2.0), Used(10, 4.0, 2.0)]
    found = [Used(30, 1.0, 1.0), Used(30, 2.0, 1.0), Used(60, 4.0, 2.0)]
    made = row("loader", found, base)
    assert made["images_per_s"] == 15
    assert made["processor_ms_per_image"] == 33.33
    assert (made["times_by_wall"], made["times_by_wall_least_most"]) == (3, [3, 6])
    assert made["times_by_processor"] == 6


def test_works_take_turns() -> None:
    order: list[str] = []

    def work(name: str) -> object:
        return lambda: lambda: order.append(name) or 5

    found = in_turns({"a": work("a"), "b": work("b")}, 3)  # type: ignore[dict-item]
    assert order == ["a", "b"] * 3
    assert [turn.images for turn in found["a"]] == [5, 5, 5]


def test_tables_leave_out_what_a_row_lacks() -> None:
    assert table([{"a_b": 1}, {"a_b": None, "c": 2}]).splitlines() == [
        "| a b | c |",
        "|---|---|",
        "| 1 |  |",
        "|  | 2 |",
    ]


def test_operations_are_two_for_each_multiply_add() -> None:
    net = nn.Conv2d(3, 8, 3, padding=1, bias=False)
    images = torch.rand(2, 3, 10, 12)
    assert arithmetic.flops(lambda: net(images)) == 2 * 2 * 8 * 3 * 9 * 10 * 12


@pytest.mark.parametrize("groups", [1, 2, 8])
@pytest.mark.parametrize("needs_images", [True, False])
@pytest.mark.parametrize("transposed", [True, False])
def test_backward_convolutions_cost_a_forward_for_each_gradient(
    groups: int, needs_images: bool, transposed: bool
) -> None:
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    net = kind(8, 16, 3, stride=2, padding=1, groups=groups, bias=False)
    images = torch.rand(2, 8, 10, 12, requires_grad=needs_images)
    places = 10 * 12 if transposed else 5 * 6
    forward = 2 * 2 * places * 9 * 8 * 16 // groups
    assert arithmetic.flops(lambda: net(images).sum().backward()) == forward * (2 + needs_images)


def test_utilisation_is_a_rate_of_operations() -> None:
    found = arithmetic.utilisation(2e9, 500, CPU, "fp32")
    assert (found["gflop_per_image"], found["tflop_per_s"]) == (2, 1)
    assert found["of_the_rated_peak"] is None
    assert found["of_the_reached_peak"] is not None
    assert found["of_the_reached_peak"] > 0


def test_shares_are_of_the_whole() -> None:
    segments = arithmetic.Segments(CPU)
    segments.seconds = {"wait": 1.0, "forward": 3.0}
    assert segments.shares() == {"wait": 0.25, "forward": 0.75}


def test_growth_is_the_slope_after_the_first_fifth() -> None:
    flat = [(1000 * n, 500.0 if n > 1 else 100.0) for n in range(10)]
    assert memory.growth(flat) == pytest.approx(0, abs=1e-6)
    assert memory.growth([(1000 * n, 3.0 * n) for n in range(10)]) == pytest.approx(30)
    with pytest.raises(UserError, match="too few lines"):
        memory.growth(flat[:2])


def test_store_and_files_hold_the_same_maps(tmp_path: Path) -> None:
    ids = tuple(f"{number:06d}" for number in range(3))
    labels.build(ids, tmp_path)
    for name, readers in labels.PAIRS.items():
        store, npy = (reader("000001") for reader in readers(tmp_path))
        if name == "float32 .npy":  # the store's are rounded to steps of 1/255
            torch.testing.assert_close(torch.tensor(store), torch.tensor(npy), atol=0.002, rtol=0)
        elif name == "u8 as float32 0-1":
            assert torch.equal(torch.tensor(store), torch.tensor(npy))


def test_photographs_repeat_under_ids_of_their_own(tmp_path: Path) -> None:
    trees.salicon(tmp_path, "train", 3)
    chosen = argparse.Namespace(root=tmp_path, data=None, layout="salicon", split="train")
    records = photographs.find(chosen, tmp_path)
    many = photographs.repeated(records, 7)
    assert len({record.id for record in many}) == 7
    assert [record.image for record in many] == [records[n % 3].image for n in range(7)]
