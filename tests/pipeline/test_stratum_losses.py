"""What a file loses on hard images is counted on those alone, and only where they are enough."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pipeline import tasks
from pipeline.files import write_json
from pipeline.metrics.summary import per_image_rows
from pipeline.paths import EVALUATE, STRATA
from pipeline.stages.check import LEAST, stratum_losses
from pipeline.tasks.task import Scores

COUNT = 30
IDS = tuple(f"scene_{i}" for i in range(COUNT))
HARD, FEW = IDS[:LEAST], IDS[: LEAST - 1]
TASK = tasks.get("saliency")


@pytest.fixture
def scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scores:
    """Of a file that loses 0.1 on the hard images and nothing on the rest."""
    monkeypatch.chdir(tmp_path)
    own = torch.linspace(1, 2, COUNT, dtype=torch.float64)
    values = {metric: own.clone() for metric in TASK.metrics}
    write_json(EVALUATE / "per_image.json", {"student": per_image_rows(IDS, values)})
    strata = {"crowded": list(HARD), "small regions": list(FEW), "low contrast": []}
    write_json(EVALUATE / STRATA, strata)
    lost = own - 0.1 * (torch.arange(COUNT) < LEAST)
    return Scores(IDS, {metric: lost.clone() for metric in TASK.metrics})


def test_losses_are_of_the_hard_images_alone(scores: Scores) -> None:
    found = stratum_losses(scores, TASK, seed=0)["crowded"]
    assert found["images"] == LEAST
    assert set(found) == {"images", *TASK.gated}
    for metric in TASK.gated:
        assert found[metric]["difference"] == pytest.approx(-0.1)
        assert found[metric]["low"] == pytest.approx(-0.1)
        torch_mean = torch.linspace(1, 2, COUNT, dtype=torch.float64)[:LEAST].mean()
        assert found[metric]["torch"] == pytest.approx(float(torch_mean))


def test_too_few_images_are_counted_and_not_measured(scores: Scores) -> None:
    found = stratum_losses(scores, TASK, seed=0)
    assert found["small regions"] == {"images": LEAST - 1}
    assert found["low contrast"] == {"images": 0}


def test_images_that_a_metric_leaves_out_do_not_count(scores: Scores) -> None:
    scores.values["NSS"][0] = float("nan")
    found = stratum_losses(scores, TASK, seed=0)["crowded"]
    assert set(found) == {"images", "CC"}
