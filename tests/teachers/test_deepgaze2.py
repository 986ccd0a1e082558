"""DeepGaze II: exact counts, its equations against slow references, and folds."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

import teachers
from teachers.deepgaze2 import DeepGaze2, Finalizer, Readout, sized
from teachers.deepgaze2_features import Frozen, MobileNetV2Features, VGG19Features, load_vgg19


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


class TinyFeatures(Frozen):
    """Two taps, at 1/4 and at 1/8."""

    channels = (5, 7)
    multiple_of = 8

    def __init__(self) -> None:
        super().__init__()
        self.fine, self.coarse = nn.Conv2d(3, 5, 4, stride=4), nn.Conv2d(3, 7, 8, stride=8)
        self.freeze()

    def forward(self, images: Tensor) -> list[Tensor]:
        return [self.fine(images / 255), self.coarse(images / 255)]


def tiny(folds: int = 3, *, flips: bool = False) -> DeepGaze2:
    torch.manual_seed(0)
    return DeepGaze2(
        "tiny", TinyFeatures(), folds=folds, flips=flips, stride=2, sigma=1.5, radius=4,
    )  # fmt: skip


def test_parameters_of_backbone_and_readout() -> None:
    vgg = VGG19Features()
    assert parameters(vgg) == 20_024_384
    assert sum(vgg.channels) == 2560
    assert parameters(Readout(vgg.channels)) == 41_588


def test_vgg_taps_are_conv5_1_relu5_1_relu5_2_conv5_3_relu5_4() -> None:
    torch.manual_seed(0)
    vgg, reference = VGG19Features(), torchvision.models.vgg19(weights=None).features
    reference[:36].load_state_dict(vgg.features.state_dict())
    images = torch.rand(1, 3, 32, 48) * 255
    x, outputs = vgg.normalise(images), []
    for layer in reference[:36]:
        x = layer(x.clone())  # torchvision's ReLUs write over what they are given
        outputs.append(x.clone())
    # Within block 5: conv, relu, conv, relu, conv, relu, conv, relu are modules 28 to 35.
    names = [f"{kind}5_{i}" for i in range(1, 5) for kind in ("conv", "relu")]
    block = dict(zip(names, outputs[28:36], strict=True))
    expected = [block[name] for name in ("conv5_1", "relu5_1", "relu5_2", "conv5_3", "relu5_4")]
    for tap, output in zip(vgg(images), expected, strict=True):
        assert torch.equal(tap, output)
        assert tap.shape == (1, 512, 2, 3)


def slow_readout(readout: Readout, taps: list[Tensor], times: int) -> Tensor:
    """As published: pixels repeated first, all channels in one tensor, layer by layer."""
    fine = max(tap.shape[-1] for tap in taps) * times
    repeated = [tap.repeat_interleave(fine // tap.shape[-1], -1) for tap in taps]
    repeated = [r.repeat_interleave(fine // tap.shape[-1], -2) for r, tap in zip(repeated, taps)]
    x = torch.cat(repeated, 1)
    first = torch.cat([layer.weight for layer in readout.first], 1)
    x = F.relu(F.conv2d(x, first, readout.bias))
    x = F.relu(F.conv2d(x, readout.second.weight, readout.second.bias))
    x = F.relu(F.conv2d(x, readout.third.weight, readout.third.bias))
    return F.conv2d(x, readout.last.weight)


def test_reading_before_repeating_pixels_changes_nothing() -> None:
    torch.manual_seed(0)
    readout = Readout((5, 7)).double()
    nn.init.normal_(readout.bias)
    taps = [torch.randn(2, 5, 4, 6).double(), torch.randn(2, 7, 2, 3).double()]
    expected = slow_readout(readout, taps, times=2)
    found = F.interpolate(readout(taps), scale_factor=2, mode="nearest")
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def slow_blur(image: Tensor, sigma: float, radius: int) -> Tensor:
    height, width = image.shape
    weights = [math.exp(-0.5 * (i / sigma) ** 2) for i in range(-radius, radius + 1)]
    blurred = torch.zeros_like(image)
    for y in range(height):
        for x in range(width):
            for i, u in enumerate(weights):
                for j, v in enumerate(weights):
                    row = min(max(y + i - radius, 0), height - 1)
                    column = min(max(x + j - radius, 0), width - 1)
                    blurred[y, x] += u * v * image[row, column]
    return blurred / sum(weights) ** 2


def test_finalizer_blurs_adds_the_centre_bias_and_normalises() -> None:
    torch.manual_seed(0)
    finalizer = Finalizer(sigma=1.3, radius=3).double()
    with torch.no_grad():
        finalizer.alpha.fill_(0.7)
    readout, prior = torch.randn(1, 1, 5, 6).double(), torch.randn(1, 5, 6).double()
    raw = slow_blur(readout[0, 0], 1.3, 3) + 0.7 * prior[0]
    expected = raw - raw.exp().sum().log()
    torch.testing.assert_close(finalizer(readout, prior)[0, 0], expected, rtol=1e-6, atol=1e-6)


def test_prediction_is_the_mixture_of_folds_and_mirror_images() -> None:
    teacher = tiny(folds=3, flips=True).eval()
    images = torch.rand(2, 3, 16, 24) * 255
    members = []
    for view, back in ((images, False), (images.flip(-1), True)):
        each = teacher.fold_log_densities(view).exp()
        members.append(each.flip(-1) if back else each)
    expected = torch.cat(members, 1).mean(1, keepdim=True).log()
    found = teacher(images)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert found.shape == (2, 1, 8, 12)
    torch.testing.assert_close(found.exp().sum((1, 2, 3)), torch.ones(2))
    mirrored = teacher(images.flip(-1)).flip(-1)
    torch.testing.assert_close(found, mirrored, rtol=1e-5, atol=1e-5)


def test_the_backbone_never_learns_and_the_readout_does() -> None:
    teacher = tiny().train()
    assert not teacher.backbone.training
    teacher.fold_log_densities(torch.rand(2, 3, 16, 16) * 255)[:, :, 3, 3].sum().backward()
    assert all(p.grad is None for p in teacher.backbone.parameters())
    learned = [*teacher.readouts.parameters(), *teacher.finalizers.parameters()]
    assert all(p.grad is not None for p in learned)
    assert all(f.sigma.grad.abs() > 0 and f.alpha.grad is not None for f in teacher.finalizers)


def test_centre_bias_of_another_size_stays_a_density() -> None:
    prior = torch.randn(2, 1, 6, 8).flatten(1).log_softmax(1).view(2, 1, 6, 8)
    for height, width in ((3, 4), (12, 16), (5, 7)):
        found = sized(prior, height, width)
        assert found.shape == (2, 1, height, width)
        torch.testing.assert_close(found.exp().sum((1, 2, 3)), torch.ones(2))
    assert sized(prior, 6, 8) is prior


def test_mobilenet_features_have_the_channels_they_state() -> None:
    features = MobileNetV2Features()
    taps = features(torch.rand(1, 3, 64, 128) * 255)
    assert tuple(t.shape[1] for t in taps) == features.channels
    # Full scale at 1/8, 1/16, 1/32, 1/32; half scale one at 1/8, then twice as coarse.
    assert [t.shape[-2] for t in taps] == [8, 4, 2, 2, 8, 4, 2, 1, 1]


@pytest.mark.parametrize("name", ["deepgaze2", "deepgaze2_mobilenet"])
def test_registered_teachers_build_and_state_a_log_density(name: str) -> None:
    spec = teachers.spec(name)
    assert spec.output == "log-density"
    assert (spec.height, spec.width) == (384, 512)
    teacher = teachers.build(name, folds=2)
    assert isinstance(teacher, DeepGaze2)
    assert teacher.folds == 2
    with pytest.raises(ValueError, match="multiples of"):
        teacher(torch.zeros(1, 3, 50, 64))
    with pytest.raises(ValueError, match="folds is 0; use at least 1"):
        teachers.build(name, folds=0)


def test_vgg_weights_come_from_a_torchvision_state_dict(tmp_path: Path) -> None:
    torch.manual_seed(0)
    source = torchvision.models.vgg19(weights=None).features
    state = {f"features.{k}": v for k, v in source.state_dict().items()}
    save_file(state, tmp_path / "vgg19.safetensors")
    torch.save(state, tmp_path / "vgg19.pth")
    for name in ("vgg19.safetensors", "vgg19.pth"):
        found = VGG19Features(tmp_path / name).features.state_dict()
        assert all(torch.equal(found[k], source.state_dict()[k]) for k in found)
    del state["features.28.weight"]
    save_file(state, tmp_path / "lacking.safetensors")
    with pytest.raises(ValueError, match=r"lacks features\.28\.weight"):
        load_vgg19(VGG19Features().features, tmp_path / "lacking.safetensors")
