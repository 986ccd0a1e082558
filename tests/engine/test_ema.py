"""The moving average of weights: its equation, its batch norms, what a phase keeps of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from pipeline.engine.ema import MovingAverage
from pipeline.engine.loop import train
from tests.engine.test_loop import PLAN, Stop, ToyBatches, losses, trainable


def moved(module: nn.Module) -> None:
    with torch.no_grad():
        for value in module.state_dict().values():
            value.add_(1) if value.dtype == torch.int64 else value.add_(torch.randn_like(value))


@pytest.mark.parametrize("decay", [0.5, 0.9])
def test_it_is_the_sum_of_all_past_weights(decay: float) -> None:
    """Against the recursion written out as one weighted sum over the whole past."""
    torch.manual_seed(0)
    module = nn.BatchNorm1d(3).double()
    average = MovingAverage(module, decay)
    seen = [module.running_mean.clone()]
    for _ in range(20):
        moved(module)
        average.update()
        seen.append(module.running_mean.clone())
    decays = [min(decay, t / (t + 10)) for t in range(1, 21)]
    weights = [1.0, *(1 - d for d in decays)]
    for past in range(21):
        for d in decays[past:]:
            weights[past] *= d
    assert sum(weights) == pytest.approx(1)
    expected = sum(w * x for w, x in zip(weights, seen))
    torch.testing.assert_close(average.values["running_mean"], expected)
    assert int(average.values["num_batches_tracked"]) == 20


def test_inside_shown_the_module_is_the_average_and_then_itself_again() -> None:
    module = nn.Linear(2, 2)
    average = MovingAverage(module, 0.9)
    before = module.weight.detach().clone()
    moved(module)
    own = module.weight.detach().clone()
    with pytest.raises(RuntimeError, match="validation"), average.shown():
        assert torch.equal(module.weight, before)
        raise RuntimeError("validation")
    assert torch.equal(module.weight, own)


def averaged(decay: float = 0.8):
    made = trainable()
    made.average = MovingAverage(nn.ModuleDict({"model": made.model}), decay)
    return made


def test_a_phase_keeps_the_average_and_trains_as_without(tmp_path: Path) -> None:
    plain, kept = trainable(), averaged()
    validated: list[torch.Tensor] = []

    def validate() -> dict[str, float]:
        with kept.shown():
            validated.append(kept.model.layers[0].weight.detach().clone())
        return {"score": 1.0}

    train(plain, ToyBatches(), lambda: {"score": 1.0}, PLAN, tmp_path / "plain")
    result = train(kept, ToyBatches(), validate, PLAN, tmp_path / "kept")
    assert losses(tmp_path / "plain") == losses(tmp_path / "kept")
    assert torch.equal(result.last["layers.0.weight"], validated[-1])
    assert torch.equal(result.best["layers.0.weight"], validated[0])
    assert not torch.equal(result.last["layers.0.weight"], plain.weights()["layers.0.weight"])


def test_it_is_resumed_bit_for_bit(tmp_path: Path) -> None:
    def ends_at(step: int):
        class Breaking(ToyBatches):
            def epoch(self, epoch: int, first_step: int):
                for number, batch in enumerate(super().epoch(epoch, first_step), first_step):
                    if (epoch, number) == (2, step):
                        raise Stop
                    yield batch

        return Breaking()

    score = {"score": 1.0}
    whole = train(averaged(), ToyBatches(), lambda: score, PLAN, tmp_path / "whole")
    with pytest.raises(Stop):
        train(averaged(), ends_at(3), lambda: score, PLAN, tmp_path / "parts")
    resumed = train(averaged(), ToyBatches(), lambda: score, PLAN, tmp_path / "parts")
    assert all(torch.equal(whole.last[k], resumed.last[k]) for k in whole.last)


def test_going_back_to_the_best_weights_restarts_it() -> None:
    made = averaged()
    best = made.weights()
    for step in range(3):
        made.step(next(ToyBatches().epoch(0, step)), 0.1)
    made.load_weights(best)
    assert all(torch.equal(made.weights()[name], best[name]) for name in best)
