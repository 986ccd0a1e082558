"""Parameter groups by depth, and the schedules by their formulas."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

import students
from pipeline.config.schema import Optimiser, Schedule
from pipeline.engine.optim import (
    build_optimiser,
    depth,
    layered_groups,
    layers_of,
    rate,
    set_rate,
)
from pipeline.errors import UserError

DECAY = 0.5
LAYERED = Optimiser(kind="adamw", lr=1.0, weight_decay=0.05, layer_decay=DECAY)


class Three(nn.Module):
    """A stem of two modules, a stage that is two layers, and a head."""

    layers = (("backbone.conv", "backbone.norm"), "backbone.stage", ("backbone.stage.1",))

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Module()
        self.backbone.conv = nn.Conv2d(3, 4, 1)
        self.backbone.norm = nn.BatchNorm2d(4)
        self.backbone.stage = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1, bias=False))
        self.backbone.stage1 = nn.Conv2d(4, 4, 1, bias=False)
        self.head = nn.Conv2d(4, 2, 1)


TABLE = {  # parameter: learning rate and weight decay, by hand
    "backbone.conv.weight": (0.125, 0.05),
    "backbone.conv.bias": (0.125, 0.0),
    "backbone.norm.weight": (0.125, 0.0),
    "backbone.norm.bias": (0.125, 0.0),
    "backbone.stage.0.weight": (0.25, 0.05),
    "backbone.stage.0.bias": (0.25, 0.0),
    "backbone.stage.1.weight": (0.5, 0.05),
    "backbone.stage1.weight": (1.0, 0.05),  # of no layer, though the name begins alike
    "head.weight": (1.0, 0.05),
    "head.bias": (1.0, 0.0),
}


def by_name(model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, tuple[float, float]]:
    names = {id(p): name for name, p in model.named_parameters()}
    return {
        names[id(p)]: (group["base_lr"], group["weight_decay"])
        for group in optimiser.param_groups
        for p in group["params"]
        if id(p) in names
    }


def test_layer_decay_by_hand() -> None:
    model = Three()
    assert by_name(model, build_optimiser([model], LAYERED)) == TABLE


def test_helpers_learn_at_the_full_rate_and_frozen_weights_not_at_all() -> None:
    model, helper = Three(), nn.Linear(2, 2)
    model.head.requires_grad_(False)
    optimiser = build_optimiser([model, helper], LAYERED)
    kept = {name: row for name, row in TABLE.items() if not name.startswith("head")}
    assert by_name(model, optimiser) == kept
    assert by_name(helper, optimiser) == {"weight": (1.0, 0.05), "bias": (1.0, 0.0)}


def test_the_schedule_multiplies_every_layer() -> None:
    optimiser = build_optimiser([Three()], LAYERED)
    assert set_rate(optimiser, 0.1) == pytest.approx(0.1)
    rates = sorted({group["lr"] for group in optimiser.param_groups})
    assert rates == pytest.approx([0.0125, 0.025, 0.05, 0.1])


def test_a_student_without_layers_is_refused() -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(1, 1))  # called so, and no statement of depth

    assert layers_of(Named()) == ()
    with pytest.raises(UserError, match=r"layer_decay is 0.5, but .* set optimiser.layer_decay"):
        layered_groups([Named()], LAYERED, DECAY)


# CEDNet's public code for detection: T five layers below the heads, S and B ten.
@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("gald_r18", {"backbone.stem.0.weight": 5, "backbone.layer4.1.conv2.weight": 1}),
        ("cii_r18", {"backbone.conv1.weight": 5, "backbone.bn1.bias": 5,
                     "backbone.layer1.0.conv1.weight": 4, "head.weight": 0}),
        ("cednet_t", {"backbone.stem.layers.0.weight": 5, "backbone.stem.layers.6.0.norm.weight": 4,
                      "backbone.stem.down.0.weight": 4, "backbone.stages.0.fine.0.norm.bias": 3,
                      "backbone.stages.0.decoder.0.norm.bias": 3,
                      "backbone.stages.2.coarse.1.dilated_norm.bias": 1, "head.fuse.0.weight": 0,
                      "auxiliary.layers.0.weight": 0}),
        ("cednet_s", {"backbone.stem.layers.3.weight": 10, "backbone.stem.down.1.weight": 9,
                      "backbone.stages.0.to_middle.0.weight": 8,
                      "backbone.stages.0.middle.3.norm.bias": 8,
                      "backbone.stages.0.middle.4.norm.bias": 7,
                      "backbone.stages.0.to_coarse.0.weight": 7,
                      "backbone.stages.0.decoder.1.norm.bias": 7,
                      "backbone.stages.3.fine.0.norm.bias": 2,
                      "backbone.stages.3.coarse.0.branch.scale": 1, "head.fuse.0.weight": 0}),
    ],
)  # fmt: skip
def test_layers_of_students(name: str, rows: dict[str, int]) -> None:
    with torch.device("meta"):
        student = students.build(name)
    layers = layers_of(student)
    below = {n: len(layers) - depth(n, layers) for n, _ in student.named_parameters()}
    assert set(below.values()) == set(range(len(layers) + 1)), "a layer without parameters"
    assert {n: below.get(n) for n in rows} == rows


def test_without_layer_decay_the_groups_of_fastsal_stay() -> None:
    """The optimiser's saved state is by position: another order would be another training."""
    model = Three()
    groups = build_optimiser([model], Optimiser(lr=0.01)).param_groups
    shown = [(round(g["lr"], 6), g["weight_decay"], len(g["params"])) for g in groups]
    assert shown == [(0.01, 5e-4, 1), (0.02, 0.0, 1), (0.005, 5e-4, 5), (0.01, 0.0, 3)]


def test_poly_by_its_formula() -> None:
    for power in (0.9, 1.0, 2.0):
        factor = rate(Schedule(kind="poly", power=power), 8)
        for epoch in (0.0, 0.5, 3.25, 7.999):
            assert factor(epoch) == pytest.approx((1 - epoch / 8) ** power)
        assert factor(8.0) == 0
        assert factor(9.0) == 0, "never complex"


def test_cosine_and_steps_by_theirs() -> None:
    cosine = rate(Schedule(kind="cosine"), 8)
    for epoch in (0.0, 0.5, 4.0, 7.5):
        assert cosine(epoch) == pytest.approx((1 + math.cos(math.pi * epoch / 8)) / 2)
    assert cosine(9.0) == pytest.approx(0)
    steps = rate(Schedule(kind="steps", milestones=[1, 3], gamma=0.5), 8)
    assert [steps(epoch) for epoch in (0.0, 1.99, 2.0, 3.9, 4.0, 8.0)] == [
        1,
        1,
        0.5,
        0.5,
        0.25,
        0.25,
    ]


def test_warm_up_is_a_line_below_any_shape() -> None:
    warm, plain = (rate(Schedule(kind="poly", warmup=w), 8) for w in (2.0, 0.0))
    for epoch in (0.0, 0.5, 1.5):
        assert warm(epoch) == pytest.approx(plain(epoch) * (epoch + 1e-3) / 2)
    assert warm(2.0) == plain(2.0)
