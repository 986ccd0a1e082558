"""Training through int8: rounding by a slow reference, frozen statistics, ranges, gradients."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from mobile.backends.executorch.tail import LARGEST_SHARE
from pipeline.config.schema import Optimiser, Schedule
from pipeline.engine.int8 import FLOAT_TAIL, SMALLEST_SCALE, Ranges, int8_view, rounded_weight
from pipeline.engine.optim import build_optimiser, rate
from pipeline.engine.supervised import Supervised


class Net(nn.Module):
    """Batch norm, a residual sum, a concatenation, and a small last convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(16)
        self.second = nn.Conv2d(16, 16, 5, padding=2)
        self.last = nn.Conv2d(32, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        x = F.relu6(self.norm(self.first(images / 128 - 1)))
        y = x + self.second(x)
        return self.last(torch.cat([x, y], 1))


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    made = Net().eval()
    made.norm.running_var.uniform_(0.1, 1.0)
    made.norm.running_mean.uniform_(-0.2, 0.2)
    return made


def photographs(count: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.rand(1, 3, 16, 16, generator=generator) * 255 for _ in range(count)]


@given(st.lists(st.floats(-100, 100, width=32), min_size=2, max_size=40))
def test_activations_are_rounded_to_256_levels_with_an_exact_zero(values: list[float]) -> None:
    x = torch.tensor([values])
    ranges = Ranges(1)
    ranges.follow(0, x)
    low, high = min(0.0, *values), max(0.0, *values)
    scale = max((high - low) / 255, SMALLEST_SCALE)
    zero = min(127, max(-128, round(-128 - low / scale)))
    for value, found in zip(values, ranges.rounded(0, x)[0].tolist(), strict=True):
        level = found / scale + zero
        assert math.isclose(level, round(level), abs_tol=1e-3)
        assert -128 <= round(level) <= 127
        assert abs(found - value) <= scale * 1.001  # half a step, and half a step of the zero
    assert ranges.rounded(0, torch.zeros(1, 1)).item() == 0


def test_weights_are_rounded_to_255_levels_per_output_channel() -> None:
    weight = torch.randn(5, 3, 2, 2, generator=torch.Generator().manual_seed(2))
    weight[4] = 0
    found = rounded_weight(weight)
    for channel, rounded in zip(weight.numpy(), found.numpy(), strict=True):
        largest = float(np.abs(channel).max())
        scale = largest / 127 or 1.0
        expected = np.clip(np.round(channel / scale), -127, 127) * scale
        np.testing.assert_allclose(rounded, expected, rtol=1e-5, atol=1e-7)


def test_rounding_before_a_batch_norm_is_rounding_of_the_folded_weight(net: Net) -> None:
    factor = net.norm.weight / (net.norm.running_var + net.norm.eps).sqrt()
    folded = rounded_weight(net.first.weight * factor[:, None, None, None])
    torch.testing.assert_close(
        folded, rounded_weight(net.first.weight) * factor[:, None, None, None]
    )


def test_ranges_start_as_means_of_the_images_extremes() -> None:
    ranges, images = Ranges(1), photographs(5)
    for image in images:
        ranges.follow(0, image)
        ranges.seen += 1
    assert ranges.low[0].item() == pytest.approx(np.mean([i.min().item() for i in images]))
    assert ranges.high[0].item() == pytest.approx(np.mean([i.max().item() for i in images]))


def test_the_view_is_near_the_student_but_rounds(net: Net) -> None:
    view = int8_view(net, photographs(8))
    image = photographs(9)[-1]
    exact, rounded = net(image), view(image)
    assert not torch.equal(exact, rounded)
    assert torch.corrcoef(torch.stack([exact.ravel(), rounded.ravel()]))[0, 1] > 0.99


def test_the_last_convolution_stays_in_float_where_its_share_is_small(net: Net) -> None:
    assert FLOAT_TAIL == LARGEST_SHARE, "as the exporter decides"
    view = int8_view(net, photographs(1))
    assert view.float_tail == 2
    net.last = nn.Conv2d(32, 1, 3, padding=1)
    assert int8_view(net, photographs(1)).float_tail is None


def test_statistics_stay_and_parameters_are_the_students_own(net: Net) -> None:
    before = copy.deepcopy(net.state_dict())
    view = int8_view(net, photographs(4))
    net.train()
    view(torch.cat(photographs(4))).mean().backward()
    for name in ("running_mean", "running_var"):
        assert torch.equal(getattr(net.norm, name), before[f"norm.{name}"])
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert bool((parameter.grad != 0).any()), name


def test_ranges_follow_only_while_the_student_trains(net: Net) -> None:
    view = int8_view(net, photographs(4))
    before = copy.deepcopy(view.ranges.state_dict())
    view(photographs(1)[0] * 0)
    assert all(torch.equal(before[k], v) for k, v in view.ranges.state_dict().items())
    net.train()
    view(photographs(1)[0] * 0)
    assert view.ranges.seen == before["seen"] + 1
    assert not torch.equal(view.ranges.high, before["high"])


def test_nothing_to_calibrate_on_is_an_error(net: Net) -> None:
    with pytest.raises(ValueError, match="no images to calibrate on"):
        int8_view(net, [])


def supervised(seed: int = 0) -> Supervised:
    torch.manual_seed(seed)
    net = Net()
    view = int8_view(net, photographs(4))

    def objective(batch):
        return {"loss": (view(batch["images"]) - batch["wanted"]).square().mean()}

    made = build_optimiser([net], Optimiser(kind="sgd", lr=0.01))
    return Supervised(net, [view.ranges], objective, made, rate(Schedule(), 1), torch.device("cpu"))


def test_training_through_it_learns_and_resumes_bit_for_bit() -> None:
    batch = {"ids": ["a"], "images": torch.cat(photographs(4)), "wanted": torch.ones(4, 1, 16, 16)}
    whole = supervised()
    losses = [whole.step(batch, 0.0)["loss"] for _ in range(8)]
    assert losses[-1] < 0.8 * losses[0]
    first = supervised()
    for _ in range(4):
        first.step(batch, 0.0)
    second = supervised(seed=1)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    assert [second.step(batch, 0.0)["loss"] for _ in range(4)] == losses[4:]
    assert all(torch.equal(v, whole.weights()[k]) for k, v in second.weights().items())
    assert second.weights().keys() == Net().state_dict().keys(), "nothing but the student is kept"
