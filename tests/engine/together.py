"""A tiny training by several real processes, for tests; started as one rank of it.

    RANK=0 WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=... python -m tests.engine.together FOLDER

Every batch is a pure function of (epoch, step) and is shared out like an image set's; the network
has dropout, a batch norm and a layer that nothing uses.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pipeline.config.schema import Optimiser, Schedule
from pipeline.engine import loop
from pipeline.engine.distributed import Group, together
from pipeline.engine.loop import Batch, Plan, train
from pipeline.engine.optim import build_optimiser, rate
from pipeline.engine.supervised import Supervised
from pipeline.errors import UserError

CPU = torch.device("cpu")
BATCH = 8
PLAN = Plan(phase="toy", epochs=3, seed=0, select="score", larger_is_better=True)


class Batches:
    """Eight images a step, of which each rank is given its slice."""

    images = 5 * BATCH

    def __init__(self, group: Group, pause: float = 0.0) -> None:
        self.group = group
        self.pause = pause

    def __len__(self) -> int:
        return 5

    def epoch(self, epoch: int, first_step: int) -> Iterator[Batch]:
        share = BATCH // self.group.world
        mine = slice(self.group.rank * share, (self.group.rank + 1) * share)
        for step in range(first_step, len(self)):
            time.sleep(self.pause)
            generator = torch.Generator().manual_seed(100 * epoch + step)
            x = torch.randn(BATCH, 4, generator=generator, dtype=torch.float64)
            ids = [f"e{epoch}s{step}i{i}" for i in range(BATCH)]
            yield {"ids": ids, "x": x[mine]}


def supervised(group: Group, *, plain: bool = False, **options: Any) -> Supervised:
    """What is trained; `plain` leaves out all that sees a batch as a whole."""
    torch.manual_seed(group.rank)  # apart on purpose: the group has to align them
    layers = [nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)]
    if not plain:
        layers[1:1] = [nn.BatchNorm1d(8), nn.Dropout(0.2)]
    model = nn.ModuleDict({"used": nn.Sequential(*layers), "unused": nn.Linear(3, 3)}).double()

    def objective(batch: Batch) -> dict[str, torch.Tensor]:
        error = model["used"](batch["x"]).squeeze(1) - batch["x"].sum(1)
        return {"loss": error.square().mean()}

    settings = Optimiser(kind="adamw", lr=0.01)
    schedule = rate(Schedule(kind="cosine"), PLAN.epochs)
    made = build_optimiser([model], settings)
    return Supervised(model, [], objective, made, schedule, CPU, group=group, **options)


def gradients(group: Group, accumulate: int = 1, grad_clip: float | None = None) -> dict[str, Any]:
    """Two steps of the plain network: terms, gradients and weights."""
    trained = supervised(group, plain=True, accumulate=accumulate, grad_clip=grad_clip)
    terms = [trained.step(batch, 0.1) for batch in Batches(group).epoch(0, 3)]
    named = trained.model.named_parameters()
    shown = {name: None if p.grad is None else p.grad.tolist() for name, p in named}
    weights = {name: value.tolist() for name, value in trained.weights().items()}
    return {"terms": terms, "gradients": shown, "weights": weights}


def by_hand(group: Group) -> list[Any]:
    """Gradients of a network that is not wrapped, averaged as SalGAN's two are."""
    torch.manual_seed(group.rank)
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1)).double()
    model.register_parameter("unused", nn.Parameter(torch.zeros(2, dtype=torch.float64)))
    group.align([model])
    batch = next(iter(Batches(group).epoch(0, 0)))
    (model(batch["x"]).squeeze(1) - batch["x"].sum(1)).square().mean().backward()
    group.average_gradients(model.parameters())
    return [None if p.grad is None else p.grad.tolist() for p in model.parameters()]


def spoilt(group: Group) -> str:
    """What is raised in each process when the last one's part of the batch is not finite."""
    trained = supervised(group)
    batch = next(iter(Batches(group).epoch(0, 0)))
    if group.rank == group.world - 1:
        batch["x"][:] = torch.inf
    try:
        trained.step(batch, 0.0)
    except FloatingPointError as error:
        return str(error)
    return "nothing"


def main() -> None:
    """One rank: `compare` writes what its steps make, otherwise it trains in a folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--timeout", type=float, default=5.0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    loop.SECONDS_BETWEEN_SAVES = 0.0
    try:
        with together(CPU, given.timeout) as group:
            if given.compare:
                compare(group, given.folder)
            else:
                learn(group, given.folder, given.pause)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(2)


def compare(group: Group, folder: Path) -> None:
    """Write what this rank sees of several kinds of steps."""
    made = {
        "whole": gradients(group),
        "pieces": gradients(group, accumulate=2),
        "clipped": gradients(group, grad_clip=0.01),
        "spoilt": spoilt(group),
        "by hand": by_hand(group),
    }
    learn(group, folder / "trained" if group.first else folder / "nobody")
    (folder / f"rank{group.rank}.json").write_text(json.dumps(made))


def learn(group: Group, folder: Path, pause: float = 0.0) -> None:
    """Train in `folder`; the last weights' hash-like sum is the validation result."""
    trained = supervised(group, ema=0.9)

    def score() -> dict[str, float]:
        assert group.first, "only the first process validates"
        with trained.shown():
            values = trained.model.state_dict().values()
            return {"score": sum(float(value.double().sum()) for value in values)}

    train(trained, Batches(group, pause), score, PLAN, folder, group)


if __name__ == "__main__":
    main()
