"""Which process this is of how many, as torchrun, Slurm or the user's own hand say.

Pure functions of an environment, so that everything here is tested without a cluster.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors import UserError

Environment = Mapping[str, str]
LAUNCHER = "FOVEA_LAUNCHED_BY"
"""Process that started this one as one rank of a stage; see `pipeline.stages.launch`."""


@dataclass(frozen=True)
class Rank:
    """One process of `world`. Raises `UserError` unless `number` is in 0..world-1."""

    number: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.number < self.world:
            raise UserError(f"RANK={self.number} of WORLD_SIZE={self.world}: ranks count from 0")

    def inside(self, outer: Rank) -> Rank:
        """Count the ranks of an `outer` one's tasks through: 4 array tasks of 2 processes are 8."""
        return Rank(outer.number * self.world + self.number, outer.world * self.world)


def in_step(environment: Environment = os.environ) -> Rank:
    """RANK of WORLD_SIZE, as torchrun sets them: for processes that train together."""
    number, world = (_number(environment, n, d) for n, d in (("RANK", 0), ("WORLD_SIZE", 1)))
    return Rank(number, world)


def of_shares(environment: Environment = os.environ) -> Rank:
    """The rank for work that is divided without a word between the processes.

    RANK and WORLD_SIZE where one of them is set; else the task of a Slurm array, times the task
    of an srun step; else all of it. Under DVC, which wants the whole stage from one command, and
    in a batch script outside srun, Slurm's variables say nothing. Raises `UserError` for array
    indices that leave gaps, as `--array=1,5`.
    """
    if "RANK" in environment or "WORLD_SIZE" in environment or "DVC_STAGE" in environment:
        return in_step(environment)
    return _step(environment).inside(_array(environment))


def gpu(environment: Environment, count: int) -> int:
    """Which of `count` visible GPUs is this process's, by LOCAL_RANK or SLURM_LOCALID.

    Raises `UserError` when a launcher started more processes here than there are GPUs.
    """
    local = _number(environment, "LOCAL_RANK", _number(environment, "SLURM_LOCALID", 0))
    beside = _number(environment, "LOCAL_WORLD_SIZE", 1)
    if beside > count:
        raise UserError(
            f"{beside} processes on this machine, but {count} GPUs; start one for each GPU"
        )
    return local % count  # Slurm may show every task its own GPU alone


def speaks(environment: Environment) -> bool:
    """Whether this process tells what it and the ranks launched beside it all meet."""
    return LAUNCHER not in environment or environment.get("LOCAL_RANK", "0") == "0"


def _array(environment: Environment) -> Rank:
    if "SLURM_ARRAY_TASK_ID" not in environment:
        return Rank()
    task = _number(environment, "SLURM_ARRAY_TASK_ID", 0)
    count = _number(environment, "SLURM_ARRAY_TASK_COUNT", 1)
    first = _number(environment, "SLURM_ARRAY_TASK_MIN", 0 if count > 1 else task)
    last = _number(environment, "SLURM_ARRAY_TASK_MAX", first + count - 1)
    if last - first != count - 1 or not first <= task <= last:
        raise UserError(
            f"the Slurm array has {count} tasks between {first} and {last}: shares need indices "
            f"without gaps, such as --array=0-{count - 1}; or set RANK and WORLD_SIZE yourself"
        )
    return Rank(task - first, count)


def _step(environment: Environment) -> Rank:
    # A batch script outside srun has SLURM_PROCID and SLURM_NTASKS, too, but runs only once.
    if "SLURM_STEP_NUM_TASKS" not in environment:
        return Rank()
    world = _number(environment, "SLURM_STEP_NUM_TASKS", 1)
    return Rank(_number(environment, "SLURM_PROCID", 0), world)


def _number(environment: Environment, name: str, default: int) -> int:
    text = environment.get(name, str(default))
    if not (text.isascii() and text.isdecimal()):
        raise UserError(f"the environment variable {name} is {text!r}, not a number; unset it")
    return int(text)
