"""Normalisations are found in graphs of either framework, whole and alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mobile import recipes
from mobile.backends.executorch.normalisations import normalisations
from mobile.export import export, open_runner
from mobile.norms import Step, of_normalisations
from mobile.parity import torch_output
from students.cednet_norm import ChannelNorm, PointwiseNorm
from students.global_context import Grouped, PooledNorm
from students.registry import ModelSpec

SPEC = ModelSpec("normed", "saliency", 16, 24, 8, (0, 0, 0), (1, 1, 1), "logits", source="tests")


class Normed(nn.Module):
    """A convolution, a norm, a GELU and another convolution, the input added."""

    def __init__(self, norm: nn.Module, eps: float | None = None) -> None:
        super().__init__()
        self.before, self.after = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 1, 3, padding=1)
        self.norm, self.eps = norm, eps

    def forward(self, images: Tensor) -> Tensor:
        x = self.before(images / 255.0)
        normal = self.norm(x) if self.eps is None else self.norm(x, self.eps)
        logits: Tensor = self.after(F.gelu(normal) + x)
        return logits


def channel_norm() -> ChannelNorm:
    torch.manual_seed(0)
    norm = ChannelNorm(16)
    nn.init.normal_(norm.weight, 1.0)
    nn.init.normal_(norm.bias)
    return norm


NORMS = {
    "channels": lambda: Normed(channel_norm()),
    "channels, pointwise": lambda: Normed(PointwiseNorm(channel_norm())),
    "groups, pooled": lambda: Normed(PooledNorm(Grouped(4, 16)), 1e-5),
}
KINDS = {
    "channels": "mean sub square mean add rsqrt mul mul add",
    "channels, pointwise": "conv2d sub mul conv2d add rsqrt mul mul add",
    "groups, pooled": "mean sub mul mean add rsqrt mul reshape mul add",
}


@pytest.mark.parametrize("name", NORMS)
def test_a_written_out_norm_is_found_from_its_mean_to_its_shift(name: str) -> None:
    module = NORMS[name]().eval()
    graph = torch.export.export(module, (torch.rand(1, 3, 16, 24),)).module()
    found = [str(node.target).split(".")[1] for node in normalisations(graph)]
    assert sorted(found) == sorted(KINDS[name].split())


def test_an_inverse_square_root_of_something_else_is_no_norm() -> None:
    class Roots(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * F.relu(x + 1).rsqrt() + x.rsqrt()

    graph = torch.export.export(Roots(), (torch.rand(1, 3, 4, 4),)).module()
    assert normalisations(graph) == []


def test_operators_are_told_by_their_kinds_and_sources() -> None:
    kinds = ["input", "conv_2d", "mean", "sub", "mul", "mean", "add", "rsqrt", "mul", "add"]
    sources = [(), (0,), (1,), (1, 2), (3, 3), (4,), (5,), (6,), (3, 7), (8, 1)]
    graph = {n: Step(kind, given) for n, (kind, given) in enumerate(zip(kinds, sources))}
    assert of_normalisations(graph) == {2, 3, 4, 5, 6, 7, 8}


def patches(count: int) -> list[np.ndarray]:
    """Mostly flat, with one bright corner: variances of a wide range."""
    generator = np.random.default_rng(0)
    made = []
    for _ in range(count):
        image = generator.uniform(100, 110, (1, 3, SPEC.height, SPEC.width)).astype(np.float32)
        image[..., :4, :4] = generator.uniform(0, 255, (1, 3, 4, 4))
        made.append(image)
    return made


@pytest.mark.parametrize("recipe", ["litert_int8", "executorch_int8"])
def test_int8_keeps_a_norm_in_float(recipe: str, tmp_path) -> None:
    module = NORMS["channels, pointwise"]().eval()
    images = patches(8)
    report = export(module, SPEC, recipes.get(recipe), iter(images), tmp_path)
    assert not report.delegation.undelegated
    runner = open_runner(tmp_path / report.file)
    for image in images:
        expected = torch_output(module, image)
        noise = np.square(runner.run(image) - expected).mean()
        assert noise < 0.003 * np.square(expected).mean()
