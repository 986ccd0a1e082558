"""The loop: exact resume, best and last weights, losses that are not numbers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from pipeline.config.schema import Optimiser, Schedule
from pipeline.engine import loop
from pipeline.engine.history import History, read
from pipeline.engine.loop import Batch, Plan, Result, train
from pipeline.engine.optim import build_optimiser, parameter_groups, rate
from pipeline.engine.supervised import Supervised
from pipeline.errors import UserError

CPU = torch.device("cpu")


class ToyBatches:
    """Batches that are a pure function of (epoch, step); `poison` makes one of them infinite."""

    images = 12

    def __init__(self, poison: tuple[int, int] | None = None, pause: float = 0.0) -> None:
        self.poison = poison
        self.pause = pause

    def __len__(self) -> int:
        return 6

    def epoch(self, epoch: int, first_step: int) -> Iterator[Batch]:
        for step in range(first_step, len(self)):
            time.sleep(self.pause)
            generator = torch.Generator().manual_seed(100 * epoch + step)
            x = torch.randn(2, 4, generator=generator)
            if self.poison == (epoch, step):
                x[0, 0] = torch.inf
            yield {"ids": [f"e{epoch}s{step}a", f"e{epoch}s{step}b"], "x": x}


class Noisy(nn.Module):
    """A network with dropout: resuming is exact only if the random numbers are, too."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


def trainable() -> Supervised:
    torch.manual_seed(0)
    model = Noisy()

    def objective(batch: Batch) -> dict[str, torch.Tensor]:
        error = (model(batch["x"]).squeeze(1) - batch["x"].sum(1)).square().mean()
        return {"loss": error}

    optimiser = build_optimiser([model], Optimiser(kind="adamw", lr=0.01))
    return Supervised(model, [], objective, optimiser, rate(Schedule(kind="cosine"), 4), CPU)


PLAN = Plan(phase="toy", epochs=4, seed=0, select="score", larger_is_better=True)


def run(
    folder: Path, batches: ToyBatches | None = None, scores: list[float] | None = None
) -> Result:
    remaining = iter(scores or [1.0, 3.0, 2.0, 0.0])
    return train(
        trainable(), batches or ToyBatches(), lambda: {"score": next(remaining)}, PLAN, folder
    )


def losses(folder: Path) -> list[float]:
    return [row["loss"] for row in read(folder / "history.jsonl") if row["kind"] == "step"]


def test_best_is_the_epoch_with_the_best_score_and_last_is_the_last(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert (result.best_epoch, result.best_value) == (1, 3.0)
    assert not torch.equal(result.best["layers.0.weight"], result.last["layers.0.weight"])


def test_history_has_a_row_per_step_and_per_epoch(tmp_path: Path) -> None:
    rows = run(tmp_path).history
    assert [r["kind"] for r in rows].count("step") == 24
    assert [r["val_score"] for r in rows if r["kind"] == "epoch"] == [1.0, 3.0, 2.0, 0.0]


class Stop(Exception):  # noqa: N818
    pass


@pytest.mark.parametrize("at", [1, 6, 7, 23])
def test_interrupted_and_resumed_equals_uninterrupted_bit_for_bit(
    tmp_path: Path, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(tmp_path / "whole")
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", 0.0)

    class Breaking(ToyBatches):
        def epoch(self, epoch: int, first_step: int) -> Iterator[Batch]:
            for step, batch in enumerate(super().epoch(epoch, first_step), first_step):
                if epoch * len(self) + step == at:
                    raise Stop
                yield batch

    scores = iter([1.0, 3.0, 2.0, 0.0])
    parts = tmp_path / "parts"
    with pytest.raises(Stop):
        train(trainable(), Breaking(), lambda: {"score": next(scores)}, PLAN, parts)
    resumed = train(trainable(), ToyBatches(), lambda: {"score": next(scores)}, PLAN, parts)
    assert losses(parts) == losses(tmp_path / "whole")
    assert all(torch.equal(whole.last[k], resumed.last[k]) for k in whole.last)
    assert all(torch.equal(whole.best[k], resumed.best[k]) for k in whole.best)


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from pipeline.engine import loop
loop.SECONDS_BETWEEN_SAVES = 0.0
from tests.engine.test_loop import PLAN, ToyBatches, trainable
batches = ToyBatches(pause=0.03)
state = Path({folder!r})
loop.train(trainable(), batches, lambda: {{"score": 1.0}}, PLAN, state)
"""


def test_kill_9_at_any_moment_then_resume_gives_the_same_losses(tmp_path: Path) -> None:
    root = str(Path(__file__).resolve().parents[2])
    reference = tmp_path / "reference"
    train(trainable(), ToyBatches(), lambda: {"score": 1.0}, PLAN, reference)
    folder = tmp_path / "killed"
    script = KILLED.format(root=root, folder=str(folder))
    kills = 0
    for attempt in range(6):
        process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
        before = len(losses(folder))
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            # Kill in the thick of it: a few steps after it has begun to make new ones.
            if attempt < 4 and len(losses(folder)) > before + 2:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
                break
            time.sleep(0.005)
        if process.wait() == 0:
            break
    assert kills >= 2
    assert losses(folder) == losses(reference)


def test_a_loss_that_is_not_finite_stops_and_names_the_images(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"toy: loss is .*epoch 2, step 3, images e2s3a, e2s3b"):
        run(tmp_path, ToyBatches(poison=(2, 3)))


def test_history_drops_a_line_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"kind": "step", "loss": 1.0}\n{"kind": "st')
    assert read(path) == [{"kind": "step", "loss": 1.0}]
    History(path, keep=1).add({"kind": "step", "loss": 2.0})
    assert [row["loss"] for row in read(path)] == [1.0, 2.0]


def test_reload_best_puts_the_best_weights_back(tmp_path: Path) -> None:
    plan = Plan("toy", 2, 0, "score", True, reload_best_after=(1,))
    scores = iter([2.0, 1.0])
    result = train(trainable(), ToyBatches(), lambda: {"score": next(scores)}, plan, tmp_path)
    assert all(torch.equal(result.best[k], result.last[k]) for k in result.best)


def test_rate_drops_at_the_end_of_the_milestone_epochs() -> None:
    factor = rate(Schedule(kind="steps", milestones=[15, 30, 60]), 100)
    seen = [round(factor(e), 6) for e in (0, 15, 16, 30, 31, 60, 61, 99)]
    assert seen == [1, 1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001]


def test_parameter_groups_are_those_of_fastsal() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = nn.Conv2d(1, 1, 1)
            self.head = nn.Conv2d(1, 1, 1)

    groups = parameter_groups([Two()], Optimiser(lr=0.01))
    shown = sorted((round(g["lr"], 6), g["weight_decay"]) for g in groups)
    assert shown == [(0.005, 5e-4), (0.01, 0.0), (0.01, 5e-4), (0.02, 0.0)]


def test_bf16_autocast_trains_with_float32_weights(tmp_path: Path) -> None:
    run(tmp_path / "fp32")
    trained = trainable()
    trained.precision = "bf16"
    train(trained, ToyBatches(), lambda: {"score": 1.0}, PLAN, tmp_path / "bf16")
    rounded, exact = losses(tmp_path / "bf16"), losses(tmp_path / "fp32")
    assert rounded != exact
    assert rounded == pytest.approx(exact, rel=0.1)
    assert {w.dtype for w in trained.weights().values()} == {torch.float32}
