"""ExecuTorch's int8: ranges, scales at concatenations, the float tail, corrected biases."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

from mobile import recipes
from mobile.backends.executorch import quantise as int8
from mobile.backends.executorch.bias import correct_biases
from mobile.backends.executorch.ranges import MeanRange
from mobile.backends.executorch.tail import LARGEST_SHARE, float_tail, macs
from mobile.export import export, open_runner
from students.registry import ModelSpec

CONVOLUTION = torch.ops.aten.conv2d.default


class Net(nn.Module):
    """Two branches of very different ranges, joined; a head of few or many multiplications."""

    def __init__(self, head: int = 1) -> None:
        super().__init__()
        self.wide = nn.Conv2d(3, 16, 3, padding=1)
        self.narrow = nn.Conv2d(3, 16, 3, padding=1)
        self.body = nn.Conv2d(32, 64, 3, padding=1)
        self.more = nn.Conv2d(64, 64, 3, padding=1)
        self.head = nn.Conv2d(64, 4, head)

    def forward(self, images: Tensor) -> Tensor:
        wide, narrow = F.relu(self.wide(images)) * 50, F.relu(self.narrow(images))
        joined = torch.cat([wide, narrow], 1)
        after = F.relu(self.more(F.relu(self.body(joined))))
        return F.pixel_shuffle(self.head(after), 2)


def net(head: int = 1) -> Net:
    torch.manual_seed(1)
    return Net(head).eval().requires_grad_(False)


def images(count: int = 6) -> list[Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [torch.rand(1, 3, 16, 16, generator=generator) * 255 for _ in range(count)]


def graph(module: nn.Module) -> torch.fx.GraphModule:
    return torch.export.export(module, (images(1)[0],)).module()


def test_a_range_is_the_mean_over_images_of_least_and_largest() -> None:
    observer = MeanRange(dtype=torch.int8, qscheme=torch.per_tensor_affine)
    given = [torch.tensor([-1.0, 2.0]), torch.tensor([-3.0, 4.0]), torch.tensor([-5.0, 100.0])]
    for image in given:
        assert observer(image) is image
    assert observer.min_val.item() == pytest.approx(-3)
    assert observer.max_val.item() == pytest.approx(106 / 3)


def test_the_tail_is_the_last_convolution_and_what_only_moves_values() -> None:
    exported = graph(net())
    names = [str(node.target) for node in float_tail(exported)]
    assert names == ["aten.pixel_shuffle.default", "aten.conv2d.default"]


def test_a_costly_last_convolution_stays_int8() -> None:
    exported = graph(net(head=3))
    convolutions = [node for node in exported.graph.nodes if node.target is CONVOLUTION]
    share = macs(convolutions[-1]) / sum(map(macs, convolutions))
    assert share > LARGEST_SHARE
    assert float_tail(exported) == []


def test_a_network_that_ends_in_no_convolution_has_no_tail() -> None:
    assert float_tail(graph(nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sigmoid()).eval())) == []


def test_multiplications_are_counted_as_a_convolution_does_them() -> None:
    exported = graph(net(head=3))
    last = [node for node in exported.graph.nodes if node.target is CONVOLUTION][-1]
    assert macs(last) == 14 * 14 * 4 * 64 * 9


def test_inputs_of_a_concatenation_keep_their_own_scales() -> None:
    module = net()
    quantised = int8.quantise(module, (images(1)[0],), (i.numpy() for i in images()))
    scales = {
        node.args[1]
        for node in quantised.graph.nodes
        if "quantize_per_tensor" in str(node.target) and "dequantize" not in str(node.target)
    }
    narrow = max(F.relu(module.narrow(i)).max().item() for i in images()) / 255
    assert min(abs(scale - narrow) for scale in scales) < 0.1 * narrow


def test_corrected_biases_restore_channel_means() -> None:
    module = net()
    quantizer = int8.Int8().set_global(int8._configuration(MeanRange))
    prepared = prepare_pt2e(graph(module), quantizer)
    for image in images():
        prepared(image)
    observed = copy.deepcopy(prepared)
    converted = convert_pt2e(prepared)
    wanted = torch.cat([module(i) for i in images()])

    def error() -> float:
        found = torch.cat([converted(i) for i in images()])
        return float((found - wanted).mean().abs())

    before = error()
    assert correct_biases(converted, observed, images()) == 5
    assert error() < 0.2 * before


def test_int8_stays_near_float_where_branches_differ_in_range() -> None:
    module = net()
    quantised = int8.quantise(module, (images(1)[0],), (i.numpy() for i in images()))
    found = torch.cat([quantised(i) for i in images()])
    wanted = torch.cat([module(i) for i in images()])
    assert torch.corrcoef(torch.stack([found.flatten(), wanted.flatten()]))[0, 1] > 0.995


class Closed(nn.Module):
    """A ReLU that never opens behind a convolution of large inputs and weights."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 16, 3, padding=1)
        self.closed = nn.Conv2d(16, 16, 3, padding=1)
        self.last = nn.Conv2d(32, 8, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        open_ = F.relu(self.first(images))
        return self.last(torch.cat([open_, F.relu(self.closed(open_))], 1))


def test_a_layer_that_is_always_closed_still_loads(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = Closed().eval().requires_grad_(False)
    with torch.no_grad():
        module.closed.weight *= 200
        module.closed.bias -= 1e8
    spec = ModelSpec("closed", "saliency", 16, 16, 1, (0, 0, 0), (1, 1, 1), "logits", "tests")
    calibration = [image.numpy() for image in images()]
    report = export(module, spec, recipes.get("executorch_int8"), iter(calibration), tmp_path)
    found = open_runner(tmp_path / report.file).run(calibration[0])
    expected = module(torch.from_numpy(calibration[0])).numpy()
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99


class Twice(nn.Module):
    """One convolution with batch norm on two scales, as CII's interactors are."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 16, 3, padding=1)
        self.shared = nn.Conv2d(16, 16, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(16)
        self.last = nn.Conv2d(32, 8, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        fine = F.relu(self.first(images))
        both = [F.relu(self.norm(self.shared(x))) for x in (fine, F.max_pool2d(fine, 2))]
        return self.last(torch.cat([both[0], F.interpolate(both[1], scale_factor=2.0)], 1))


def test_shared_layers_are_quantised_at_every_use(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = Twice().eval().requires_grad_(False)
    module.norm.running_var.uniform_(0.05, 0.2)
    spec = ModelSpec("twice", "saliency", 16, 16, 2, (0, 0, 0), (1, 1, 1), "logits", "tests")
    calibration = [image.numpy() for image in images()]
    report = export(module, spec, recipes.get("executorch_int8"), iter(calibration), tmp_path)
    found = open_runner(tmp_path / report.file).run(calibration[0])
    expected = module(torch.from_numpy(calibration[0])).numpy()
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99
