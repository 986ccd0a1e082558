"""Which process this is of how many: torchrun's variables, Slurm's, and none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.ranks import LAUNCHER, Rank, gpu, in_step, of_shares, speaks

ARRAY = {
    "SLURM_ARRAY_TASK_ID": "6",
    "SLURM_ARRAY_TASK_COUNT": "4",
    "SLURM_ARRAY_TASK_MIN": "4",
    "SLURM_ARRAY_TASK_MAX": "7",
}
STEP = {"SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "2", "SLURM_NTASKS": "2"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Rank(0, 1)),
        ({"RANK": "1", "WORLD_SIZE": "2"}, Rank(1, 2)),
        (ARRAY, Rank(2, 4)),
        (STEP, Rank(1, 2)),
        (ARRAY | STEP, Rank(5, 8)),
        (ARRAY | STEP | {"RANK": "0", "WORLD_SIZE": "3"}, Rank(0, 3)),  # torchrun inside a job
        (ARRAY | STEP | {"DVC_STAGE": "label@salgan"}, Rank(0, 1)),  # DVC wants the whole stage
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "8"}, Rank(0, 1)),  # a batch script runs once
        ({"SLURM_ARRAY_TASK_ID": "3"}, Rank(0, 1)),  # a single task takes what is left
        ({"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "1"}, Rank(0, 1)),
    ],
)
def test_shares_are_found_in_the_environment(environment: dict[str, str], expected: Rank) -> None:
    assert of_shares(environment) == expected


def test_what_works_in_step_heeds_torchrun_alone() -> None:
    assert in_step(ARRAY | STEP) == Rank(0, 1)
    assert in_step(ARRAY | STEP | {"RANK": "3", "WORLD_SIZE": "4"}) == Rank(3, 4)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 1000))
def test_an_array_of_steps_counts_every_rank_once(tasks: int, processes: int, first: int) -> None:
    seen = []
    for task in range(first, first + tasks):
        for process in range(processes):
            environment = {
                "SLURM_ARRAY_TASK_ID": task,
                "SLURM_ARRAY_TASK_COUNT": tasks,
                "SLURM_ARRAY_TASK_MIN": first,
                "SLURM_ARRAY_TASK_MAX": first + tasks - 1,
                "SLURM_PROCID": process,
                "SLURM_STEP_NUM_TASKS": processes,
            }
            seen.append(of_shares({name: str(value) for name, value in environment.items()}))
    assert seen == [Rank(n, tasks * processes) for n in range(tasks * processes)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"SLURM_ARRAY_TASK_MAX": "10"}, r"4 tasks between 4 and 10.*--array=0-3"),
        ({"SLURM_ARRAY_TASK_ID": "9"}, "4 tasks between 4 and 7"),
        ({"SLURM_ARRAY_TASK_ID": "x"}, "SLURM_ARRAY_TASK_ID is 'x', not a number; unset it"),
        ({"RANK": "-1"}, "RANK is '-1', not a number"),
        ({"RANK": "2", "WORLD_SIZE": "2"}, "RANK=2 of WORLD_SIZE=2: ranks count from 0"),
        ({"WORLD_SIZE": "0"}, "RANK=0 of WORLD_SIZE=0"),
    ],
)
def test_an_environment_that_cannot_be_right_is_refused(
    change: dict[str, str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        of_shares(ARRAY | change)


@given(st.dictionaries(st.sampled_from([*ARRAY, *STEP, "RANK", "WORLD_SIZE"]), st.text()))
def test_no_environment_ends_in_anything_but_a_rank_or_a_mistake(
    environment: dict[str, str],
) -> None:
    try:
        found = of_shares(environment)
    except UserError:
        return
    assert 0 <= found.number < found.world


@pytest.mark.parametrize(
    ("environment", "count", "expected"),
    [
        ({}, 4, 0),
        ({"LOCAL_RANK": "3", "LOCAL_WORLD_SIZE": "4"}, 4, 3),
        ({"SLURM_LOCALID": "2"}, 4, 2),
        ({"SLURM_LOCALID": "2"}, 1, 0),  # --gpus-per-task: each task sees its own
    ],
)
def test_each_process_has_a_gpu(environment: dict[str, str], count: int, expected: int) -> None:
    assert gpu(environment, count) == expected


def test_more_processes_than_gpus_are_refused() -> None:
    with pytest.raises(UserError, match="4 processes on this machine, but 2 GPUs"):
        gpu({"LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}, 2)


def test_of_launched_ranks_the_first_speaks() -> None:
    assert speaks({})
    assert speaks({"RANK": "1"})  # started by hand, in a terminal of its own
    assert speaks({LAUNCHER: "1", "LOCAL_RANK": "0"})
    assert not speaks({LAUNCHER: "1", "LOCAL_RANK": "1"})
