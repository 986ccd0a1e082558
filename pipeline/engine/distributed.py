"""Processes that train one model together: DistributedDataParallel over gloo or NCCL.

The batch of a phase is the global one. Each process takes its slice of it, gradients and shown
losses are means over all, and only the first process writes. What differs from one process is
what a batch's statistics enter into: batch norm (unless synchronised) and `hint_scale=unit` see a
process's slice, and sums are rounded in another order. So the number of processes belongs to the
state of a training: see `engine.state`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from pipeline import ranks
from pipeline.engine.heartbeat import Heartbeat, said
from pipeline.errors import UserError

T = TypeVar("T")
Objective = Callable[[dict[str, Any]], dict[str, Tensor]]
SILENCE = 60.0
"""Seconds without a sign of life after which a process is taken for lost."""


class Group:
    """The processes that train together; this class: one on its own."""

    rank = 0
    world = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that validates, writes and speaks."""
        return self.rank == 0

    def share(self, value: T) -> T:
        """What the first process has, for all."""
        return value

    @contextlib.contextmanager
    def led(self) -> Iterator[None]:
        """Everyone enters the block, but only when the first process has left it: downloads."""
        if not self.first:
            self.share(None)
        yield
        if self.first:
            self.share(None)

    def means(self, terms: dict[str, Tensor]) -> dict[str, float]:
        """Mean of each scalar over the processes."""
        return {name: value.item() for name, value in terms.items()}

    def wrap(self, objective: Objective, _modules: Sequence[nn.Module]) -> Objective:
        """The objective with gradients of `modules` that are means over the processes."""
        return objective

    def held(self, _objective: Objective) -> contextlib.AbstractContextManager[None]:
        """Gradients stay apart inside the block: more of them are to come."""
        return contextlib.nullcontext()

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """For what is not wrapped: the mean over the processes in place of each gradient."""

    def align(self, modules: Iterable[nn.Module]) -> None:
        """Give all processes the first one's weights and buffers."""

    def part_ways(self) -> None:
        """Let each process draw its own random numbers in this step."""


ALONE = Group()


class Processes(Group):
    """Several processes; `group` is the default one of torch.distributed."""

    def __init__(self, rank: int, world: int, device: torch.device) -> None:
        self.rank = rank
        self.world = world
        self.device = device

    def share(self, value: T) -> T:
        box: list[Any] = [value if self.first else None]
        dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
        return cast("T", box[0])

    def means(self, terms: dict[str, Tensor]) -> dict[str, float]:
        together = torch.stack([value.detach().double() for value in terms.values()])
        dist.all_reduce(together)
        return dict(zip(terms, (together / self.world).tolist(), strict=True))

    def wrap(self, objective: Objective, modules: Sequence[nn.Module]) -> Objective:
        # The parameters that a phase leaves out, such as a decoder's in the hint phase, have to
        # be looked for each time. With that on, the buckets of the first step also stay those of
        # all others, so that a resumed run adds in the same order as one that was not stopped.
        return DistributedDataParallel(
            _Forward(objective, modules),
            device_ids=[self.device.index] if self.device.type == "cuda" else None,
            find_unused_parameters=True,
        )

    def held(self, objective: Objective) -> contextlib.AbstractContextManager[None]:
        assert isinstance(objective, DistributedDataParallel)
        return objective.no_sync()

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.world
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, mean in zip(gradients, torch.split(flat, sizes), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def align(self, modules: Iterable[nn.Module]) -> None:
        for module in modules:
            for value in module.state_dict().values():
                dist.broadcast(value, src=0)

    def part_ways(self) -> None:
        if self.rank:
            torch.manual_seed(torch.initial_seed() + self.rank)


class _Forward(nn.Module):
    """An objective as the forward of the modules it trains, which is what DDP wraps."""

    def __init__(self, objective: Objective, modules: Sequence[nn.Module]) -> None:
        super().__init__()
        self.objective = objective
        self.trained = nn.ModuleList(modules)

    def forward(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        return self.objective(batch)


@contextlib.contextmanager
def together(device: torch.device, timeout_minutes: float) -> Iterator[Group]:
    """The group this process belongs to by RANK and WORLD_SIZE, while it trains.

    Raises `UserError` when the others do not come, or one of them is lost on the way: killed,
    stopped, out of reach, or ended by an error of its own.
    """
    rank = ranks.in_step()
    if rank.world == 1:
        yield ALONE
        return
    timeout = timedelta(minutes=timeout_minutes)
    heartbeat = _join(rank, device, timeout)
    try:
        yield Processes(rank.number, rank.world, device)
        dist.barrier()
    except RuntimeError as error:
        if words := heartbeat.lost():
            raise UserError(said(words)) from error
        if "timed out" in str(error).lower():
            raise UserError(
                f"another process did not answer within {timeout_minutes} minutes, though it "
                "lives; if the first one still validated, raise machine.timeout_minutes"
            ) from error
        raise
    finally:
        heartbeat.stop()
    dist.destroy_process_group()  # not after an error: it would wait for who is gone


def _join(rank: ranks.Rank, device: torch.device, timeout: timedelta) -> Heartbeat:
    address, port = (os.environ.get(name) for name in ("MASTER_ADDR", "MASTER_PORT"))
    if not address or not (port or "").isdecimal():
        raise UserError(
            f"RANK={rank.number} of WORLD_SIZE={rank.world}, but MASTER_ADDR and MASTER_PORT do "
            "not say where the others meet; start with torchrun, or set machine.processes"
        )
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    try:
        dist.init_process_group(backend, timeout=timeout)
        store = dist.TCPStore(  # type: ignore[attr-defined]
            address, int(port or 0), is_master=False, timeout=timeout
        )
    except RuntimeError as error:
        raise UserError(
            f"rank {rank.number} of {rank.world} waited for the others at {address}:{port} in "
            f"vain ({' '.join(str(error).split())[:200]}); start all of them, or raise "
            "machine.timeout_minutes"
        ) from error
    beats = dist.PrefixStore("fovea", store)  # type: ignore[attr-defined]
    return Heartbeat(beats, rank.number, rank.world, min(SILENCE, timeout.total_seconds()))
