"""Each rule of lint on a module that triggers it, and on one that does not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mobile.backends.executorch.quantise import quantise
from mobile.lint import executorch, graph, litert
from mobile.lint.finding import UNKNOWN, Finding, advice


class Does(nn.Module):
    def __init__(self, what: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.inner = nn.Conv2d(3, 4, 3, padding=1)
        self.what = what

    def forward(self, images: Tensor) -> Tensor:
        return self.what(self.inner(images))


def found_in(what: Callable[[Tensor], Tensor]) -> list[Finding]:
    module = Does(what).eval()
    exported = torch.export.export(module, (torch.rand(1, 3, 8, 8),)).module()
    return list(graph.findings(exported))


def test_plain_convolutions_are_clean() -> None:
    assert found_in(lambda x: F.relu(x) + 1) == []


def test_tensors_of_more_than_four_axes() -> None:
    found = found_in(lambda x: x.reshape(1, 2, 2, 8, 8).permute(0, 2, 1, 3, 4).reshape(1, 4, 8, 8))
    assert found
    assert all(f.severity == "slows" and "5 axes" in f.what for f in found)


def test_sizes_that_depend_on_values() -> None:
    (found, *_) = found_in(lambda x: x.flatten()[x.flatten().nonzero()[:, 0]])
    assert found.severity == "breaks"
    assert "only known while it runs" in found.what


@pytest.mark.parametrize(("size", "count"), [(1, 0), (3, 1)])
def test_adaptive_pooling(size: int, count: int) -> None:
    assert len(found_in(lambda x: F.adaptive_avg_pool2d(x, size))) == count


def test_a_finding_names_the_module() -> None:
    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pool = nn.AdaptiveAvgPool2d(3)

        def forward(self, images: Tensor) -> Tensor:
            return self.pool(images)

    exported = torch.export.export(Outer(), (torch.rand(1, 3, 8, 8),)).module()
    assert [f.where for f in graph.findings(exported)] == [
        "aten.adaptive_avg_pool2d.default in pool"
    ]


def islands(what: Callable[[Tensor], Tensor]) -> list[Finding]:
    class Net(Does):
        def forward(self, images: Tensor) -> Tensor:
            return F.conv2d(super().forward(images), torch.ones(1, 1, 3, 3), padding=1)

    torch.manual_seed(0)
    images = [torch.rand(1, 3, 8, 8) for _ in range(2)]
    quantised = quantise(Net(what).eval(), (images[0],), (i.numpy() for i in images))
    return list(executorch.islands(quantised, executorch.int8_operators()))


def test_pixel_shuffle_is_a_float_island_of_xnnpack() -> None:
    (found,) = islands(lambda x: F.pixel_shuffle(x + x, 2))
    assert found.where.startswith("aten.pixel_shuffle.default")
    assert "256 numbers" in found.what
    assert "convolve before it" in found.rewrite


def test_sums_and_relu_are_no_islands() -> None:
    assert islands(lambda x: (F.relu(x) + x).mean(1, keepdim=True)) == []


def test_undelegated_operators_break() -> None:
    for module, name in ((executorch, "aten.gelu.default"), (litert, "GATHER")):
        (found,) = module.undelegated({name: 3})
        assert (found.severity, found.where) == ("breaks", name)
        assert found.what.startswith("3 ")
        assert found.rewrite == advice(name) != UNKNOWN


OPERATORS = [
    {"op_name": "QUANTIZE", "outputs": [1]},
    {"op_name": "CONV_2D", "outputs": [2]},
    {"op_name": "CAST", "outputs": [3]},
    {"op_name": "RESHAPE", "outputs": [4]},
    {"op_name": "DEQUANTIZE", "outputs": [5]},
]


def tensors(**shapes: tuple[int, ...]) -> dict[int, dict[str, object]]:
    made = {i: {"shape": (1, 2, 2, 3), "dtype": np.int8} for i in range(1, 6)}
    made[3]["dtype"] = made[5]["dtype"] = np.float32
    return made | {int(k[1:]): made[int(k[1:])] | {"shape": v} for k, v in shapes.items()}


def test_what_gpu_delegates_refuse() -> None:
    (found,) = litert.refused_by_gpu(OPERATORS)
    assert (found.where, found.severity) == ("CAST", "slows")


def test_axes_of_a_file() -> None:
    assert list(litert.many_axes(OPERATORS, tensors())) == []
    (found,) = litert.many_axes(OPERATORS, tensors(t4=(1, 1, 2, 2, 3)))
    assert found.where == "RESHAPE"


def test_float_within_an_int8_file() -> None:
    (found,) = litert.islands(OPERATORS, tensors())
    assert found.where == "CAST"
    assert "12 numbers" in found.what


def test_an_unknown_operator_gets_general_advice() -> None:
    assert advice("aten.frobnicate.default") == UNKNOWN
    assert advice("aten.gelu.default") == advice("gelu")
