"""A step in pieces, and a compiled one, are the step in one piece."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from pipeline.config.schema import Optimiser, Schedule
from pipeline.engine.optim import build_optimiser, rate
from pipeline.engine.supervised import Supervised

CPU = torch.device("cpu")
ROOT = Path(__file__).resolve().parents[2]


def supervised(accumulate: int = 1, grad_clip: float | None = None, fast: bool = False):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)).double()

    def objective(batch):
        error = (model(batch["x"]) - batch["y"]).square().mean()
        return {"loss": error + 0.1, "error": error}

    made = build_optimiser([model], Optimiser(kind="sgd", lr=0.1, momentum=0.0))
    return Supervised(
        model, [], objective, made, rate(Schedule(), 1), CPU, "fp32", grad_clip,
        accumulate=accumulate, compile_objective=fast,
    )  # fmt: skip


def batch(size: int = 12):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(size, 4, generator=generator, dtype=torch.float64)
    return {"ids": [f"image{i}" for i in range(size)], "x": x, "y": x.sum(1, keepdim=True)}


def gradients(trained: Supervised):
    return {name: p.grad for name, p in trained.model.named_parameters()}


@pytest.mark.parametrize("accumulate", [2, 3, 12])
@pytest.mark.parametrize("grad_clip", [None, 0.01])
def test_pieces_give_the_gradient_the_terms_and_the_step_of_the_whole(
    accumulate: int, grad_clip: float | None
) -> None:
    whole, pieces = supervised(1, grad_clip), supervised(accumulate, grad_clip)
    for _ in range(2):
        expected = whole.step(batch(), 0.0)
        assert pieces.step(batch(), 0.0) == pytest.approx(expected, rel=1e-12)
        torch.testing.assert_close(gradients(pieces), gradients(whole), rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(pieces.weights(), whole.weights(), rtol=1e-12, atol=1e-14)


def test_a_batch_norm_sees_a_piece_at_a_time() -> None:
    """Told in the schema: pieces are not the whole where statistics of a batch enter."""
    results = []
    for accumulate in (1, 2):
        trained = supervised(accumulate)
        norm = nn.BatchNorm1d(4).double()
        trained.objective = lambda b, norm=norm: {"loss": norm(b["x"]).square().mean()}
        trained.step(batch(), 0.0)
        results.append((int(norm.num_batches_tracked), norm.running_var.clone()))
    assert [count for count, _ in results] == [1, 2]
    assert not torch.allclose(results[0][1], results[1][1])


def test_a_piece_that_is_not_finite_changes_no_weight() -> None:
    trained, spoilt = supervised(3), batch()
    spoilt["x"][-1] = torch.inf
    before = trained.weights()
    with pytest.raises(FloatingPointError, match=r"loss is nan|loss is inf"):
        trained.step(spoilt, 0.0)
    assert all(torch.equal(trained.weights()[name], before[name]) for name in before)


def test_pieces_that_would_not_be_equal_are_refused() -> None:
    with pytest.raises(ValueError, match="12 images do not make 5 equal pieces"):
        supervised(5).step(batch(), 0.0)


def test_losses_are_float32_under_bf16() -> None:
    """Student and teacher compute in bf16, their difference does not."""
    from pipeline.losses import hint_terms

    layer = nn.Conv2d(3, 4, 1)
    x = torch.rand(2, 3, 8, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = layer(x)
        assert features.dtype == torch.bfloat16
        assert hint_terms([features], [features * 2])[0].dtype == torch.float32


@pytest.mark.slow
def test_a_compiled_step_is_the_step() -> None:
    plain, fast = supervised(), supervised(fast=True)
    for _ in range(2):
        assert fast.step(batch(), 0.0) == pytest.approx(plain.step(batch(), 0.0), rel=1e-9)
    torch.testing.assert_close(fast.weights(), plain.weights(), rtol=1e-9, atol=1e-12)


NO_COMPILER = """
from pipeline.errors import UserError
from tests.engine.test_supervised import batch, supervised
try:
    supervised(fast=True).step(batch(), 0.0)
except UserError as error:
    print(error)
"""


@pytest.mark.slow
def test_without_a_compiler_it_says_so(tmp_path: Path) -> None:
    environment = os.environ | {
        "CXX": "/nonexistent/c++",
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", NO_COMPILER], cwd=ROOT, env=environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "machine.compile: torch.compile failed" in done.stdout
    assert "set machine.compile=false to train without" in done.stdout
