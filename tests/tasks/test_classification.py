"""The task of naming a class for a whole image: loss, scores, what it knows before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pipeline import tasks
from pipeline.config.schema import Phase
from pipeline.data.evaluation import Sample
from pipeline.data.records import Record
from pipeline.errors import UserError
from pipeline.files import write_json
from pipeline.tasks.classification import SMOOTHING, ClassificationTask, cross_entropy

TASK = tasks.get("classification")
CLASSES = 6


def logits(seed: int, batch: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(batch, CLASSES, 1, 1, generator=generator)


class Plain(nn.Module):
    """The same logits for every image."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.value = nn.Parameter(logits(seed))

    def forward(self, images: Tensor) -> Tensor:
        return self.value.expand(len(images), -1, -1, -1)


class Supervised(Plain):
    """With a head on each of two stages before the last."""

    def __init__(self) -> None:
        super().__init__()
        self.earlier = nn.ModuleList([Plain(1), Plain(2)])

    def outputs(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        return self(images), [head(images) for head in self.earlier]


def batch() -> dict[str, Tensor]:
    return {"images": torch.zeros(3, 3, 8, 8), "target": torch.tensor([0, 4, 4])}


def phase(objective: str = "classification", **options: object) -> Phase:
    return Phase(objective=objective, **{"teacher_weight": 0.0, **options})


def slow_cross_entropy(found: Tensor, target: Tensor, smoothing: float = 0.0) -> float:
    """Image by image, class by class: -sum of what should be times the log of what is."""
    total = 0.0
    for row, index in zip(found[:, :, 0, 0].tolist(), target.tolist(), strict=True):
        shares = np.exp(row) / np.exp(row).sum()
        wanted = [smoothing / len(row) + (1 - smoothing) * (i == index) for i in range(len(row))]
        total -= sum(w * np.log(s) for w, s in zip(wanted, shares, strict=True))
    return total / len(target)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.4])
def test_cross_entropy_is_its_definition(smoothing: float) -> None:
    found, target = logits(0, 5), torch.tensor([0, 5, 2, 2, 1])
    slow = slow_cross_entropy(found, target, smoothing)
    assert cross_entropy(found, target, smoothing).item() == pytest.approx(slow, rel=1e-5)


@pytest.mark.parametrize(
    ("objective", "smoothing"), [("classification", 0.0), ("smoothed", SMOOTHING)]
)
def test_all_heads_count_the_same_at_a_weight_of_1(objective: str, smoothing: float) -> None:
    given = batch()
    found = TASK.objective(Supervised(), phase(objective, auxiliary_weight=1.0))(given)
    slow = [slow_cross_entropy(logits(i).expand(3, -1, -1, -1), given["target"], smoothing)
            for i in range(3)]  # fmt: skip
    assert found["loss"].item() == pytest.approx(np.mean(slow), rel=1e-5)
    assert set(found) == {"loss", "truth", "auxiliary0", "auxiliary1"}


def test_auxiliary_heads_may_count_less() -> None:
    given = batch()
    found = TASK.objective(Supervised(), phase(auxiliary_weight=0.5))(given)
    slow = [slow_cross_entropy(logits(i).expand(3, -1, -1, -1), given["target"]) for i in range(3)]
    assert found["truth"].item() == pytest.approx(slow[0] / 2, rel=1e-5)
    assert found["loss"].item() == pytest.approx((slow[0] + (slow[1] + slow[2]) / 2) / 2, rel=1e-5)


def test_a_network_without_auxiliary_heads_learns_from_its_own() -> None:
    found = TASK.objective(Plain(), phase())(batch())
    assert set(found) == {"loss", "truth"}
    assert found["loss"] == found["truth"]


def test_as_many_classes_as_the_data_have() -> None:
    task = ClassificationTask(shares=(0.1,) * 10)
    with pytest.raises(UserError, match=r"knows 6 classes.*has 10; set student.overrides.classes"):
        task.objective(Plain(), phase())(batch())


def sample(target: int | None = 2) -> Sample:
    return Sample("one", torch.zeros(3, 8, 8), None, None, target=target)


def test_scores_of_one_image() -> None:
    found = np.array([0, 3, 2, 1, 0, -1], np.float32)[:, None, None]
    scores = TASK.score(found, sample())
    probability = np.exp(2) / np.exp(found).sum()
    assert {name: value.shape for name, value in scores.items()} == dict.fromkeys(
        TASK.metrics, (1,)
    )
    assert (scores["top1"].item(), scores["top5"].item()) == (0, 1)
    assert scores["P"].item() == pytest.approx(probability)
    assert scores["CE"].item() == pytest.approx(-np.log(probability))
    assert TASK.quick_score(found, sample()) == scores
    assert TASK.score(found, sample(5))["top5"].item() == 0


def test_classes_count_alike_however_many_images_they_have() -> None:
    answers = iter([0, 0, 0, 1, 1])
    targets = [0, 0, 0, 0, 1]

    def predict(_image: Tensor) -> np.ndarray:
        found = np.zeros((3, 1, 1), np.float32)
        found[next(answers)] = 1
        return found

    scores = TASK.evaluate(predict, [sample(target) for target in targets])
    assert scores.means()["top1"] == pytest.approx(4 / 5)
    assert scores.means()["mAcc"] == pytest.approx((3 / 4 + 1) / 2)
    assert scores.details == {"classes": [0.75, 1.0, None], "mistakes": [(0, 1, 1)]}


def test_an_image_without_a_class_is_named() -> None:
    with pytest.raises(UserError, match="validation image one has no class"):
        TASK.score(np.zeros((3, 1, 1), np.float32), sample(None))


def test_the_prior_is_how_often_each_class_is() -> None:
    records = [Record(str(i), Path("x.jpg"), target=t) for i, t in enumerate([0, 0, 0, 2])]
    found = ClassificationTask(shares=(0.75, 0, 0.25, 0)).prior(records, 8, 8)
    assert found.shape == (4, 1, 1)
    assert np.exp(found.ravel()) == pytest.approx([4 / 8, 1 / 8, 2 / 8, 1 / 8])
    with pytest.raises(UserError, match="no training image has a class"):
        TASK.prior([Record("a", Path("x.jpg"))], 8, 8)


def test_it_knows_the_shares_that_preparing_counted(tmp_path: Path) -> None:
    content = {"classes": ["a", "b"], "images": {"train": [3, 1], "val": [1, 1]}, "name": None}
    write_json(tmp_path / "classes.json", content)
    informed = TASK.informed(tmp_path)
    assert isinstance(informed, ClassificationTask)
    assert informed.shares == (0.75, 0.25)


def test_probabilities_are_of_all_classes() -> None:
    found = TASK.probability(np.array([1, 1, 2], np.float32)[:, None, None])
    assert found.shape == (3, 1, 1)
    assert found.sum() == pytest.approx(1)
    assert found.argmax() == 2
