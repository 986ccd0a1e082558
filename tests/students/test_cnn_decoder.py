"""The six-layer CNN decoder of Table IV: counts by hand, SalGAN's sizes, a second reading."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

import students
from students.backbones import EfficientNetB0, load_efficientnet_b0
from teachers.salgan import SalGAN

NAMES = ("cnn_mobilenet_v2", "cnn_efficientnet_b0")
OUTPUTS = (512, 512, 256, 128, 64, 1)
MOBILENET_V2 = 2_223_872


def efficientnet_b0_parameters() -> int:
    """All but the classifier, from the paper's table of stages (Tan and Le 2019, Table 1).

    A convolution without bias, then a batch norm of two values per channel; squeeze-excitation has
    biases and a quarter of the block's *input* channels.
    """

    def norm(channels: int) -> int:
        return 2 * channels

    total = 3 * 32 * 9 + norm(32)
    inputs = 32
    stages = [(1, 3, 16, 1), (6, 3, 24, 2), (6, 5, 40, 2), (6, 3, 80, 3), (6, 5, 112, 3),
              (6, 5, 192, 4), (6, 3, 320, 1)]  # fmt: skip
    for expand, kernel, outputs, layers in stages:
        for _ in range(layers):
            wide, squeezed = inputs * expand, inputs // 4
            if expand > 1:
                total += inputs * wide + norm(wide)
            total += wide * kernel**2 + norm(wide)
            total += wide * squeezed + squeezed + squeezed * wide + wide
            total += wide * outputs + norm(outputs)
            inputs = outputs
    return total + inputs * 1280 + norm(1280)


def decoder_parameters() -> int:
    """3x3 convolutions with biases from 1,280 channels down the list of Table IV."""
    inputs = (1280, *OUTPUTS[:-1])
    return sum(9 * i * o + o for i, o in zip(inputs, OUTPUTS))


def test_the_stages_of_efficientnet_add_up_to_the_published_count() -> None:
    classifier = 1280 * 1000 + 1000
    assert efficientnet_b0_parameters() + classifier == 5_288_548


@pytest.mark.parametrize(
    ("name", "encoder"),
    [("cnn_mobilenet_v2", MOBILENET_V2), ("cnn_efficientnet_b0", efficientnet_b0_parameters())],
)
def test_parameters(name: str, encoder: int) -> None:
    student = students.build(name)
    assert sum(p.numel() for p in student.backbone.parameters()) == encoder
    assert sum(p.numel() for p in student.parameters()) == encoder + decoder_parameters()


def test_efficientnet_has_17_taps_and_the_stem_is_not_one() -> None:
    taps = EfficientNetB0().eval()(torch.zeros(1, 3, 64, 96))
    assert [t.shape[1] for t in taps] == (
        [16] + [24] * 2 + [40] * 2 + [80] * 3 + [112] * 3 + [192] * 4 + [320, 1280]
    )
    assert taps[0].shape[-2:] == (32, 48)
    assert taps[-1].shape[-2:] == (2, 3)


@pytest.mark.parametrize("name", NAMES)
def test_hint_features_have_the_shapes_of_salgans(name: str) -> None:
    """At half of each side of the paper's input: the sizes halve with it on both sides."""
    images = torch.zeros(1, 3, 96, 128)
    student = students.build(name).eval()
    teacher = SalGAN(width=0.0625, normalisation="imagenet").eval()
    with torch.no_grad():
        own, hints = student.features(images), teacher.features(images)
    assert [f.shape for f in own] == [f.shape for f in hints]
    assert tuple(student.feature_channels) == tuple(teacher.feature_channels)
    assert [tuple(f.shape[1:]) for f in own] == [
        (128, 48, 64), (256, 24, 32), (512, 12, 16), (512, 6, 8),
    ]  # fmt: skip


def settle(student: nn.Module, images: Tensor) -> None:
    """Statistics of these images for every batch norm: fresh ones let no signal through."""
    for module in student.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        student.train()(images)
    student.eval()


def test_forward_is_six_convolutions_with_an_upsampling_before_each_of_the_first_five() -> None:
    """An independent chain from the state dict alone; nearest upsampling by repeating pixels."""
    torch.manual_seed(0)
    student = students.build("cnn_mobilenet_v2", init="kaiming")
    images = torch.rand(2, 3, 64, 32) * 255
    settle(student, images)
    state = student.state_dict()
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    normalised = student.normalise(images)
    # Rounding apart: over fifty settled layers it would grow past any useful bound.
    torch.testing.assert_close(normalised, (images / 255 - mean) / std, rtol=1e-5, atol=1e-5)
    with torch.no_grad():
        x = student.backbone.features(normalised)
        for layer in range(5):
            x = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
            weight, bias = (state[f"layers.{layer}.0.{part}"] for part in ("weight", "bias"))
            x = F.conv2d(x, weight, bias, padding=1).clamp_min(0)
        expected = F.conv2d(x, state["head.weight"], state["head.bias"], padding=1)
        logits = student(images)
    assert expected.std() > 1e-3
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)


def test_efficientnet_gives_the_same_twice_in_training() -> None:
    """No block is left out at random: a resumed training is the undisturbed one."""
    backbone = EfficientNetB0().train()
    images = torch.rand(2, 3, 32, 64)
    with torch.no_grad():
        assert torch.equal(backbone(images)[-1], backbone(images)[-1])


def test_efficientnet_weights_come_from_a_file(tmp_path: Path) -> None:
    torch.manual_seed(1)
    source = EfficientNetB0().state_dict()
    save_file(source, tmp_path / "w.safetensors")
    own = EfficientNetB0()
    load_efficientnet_b0(own, tmp_path / "w.safetensors")
    assert all(torch.equal(own.state_dict()[name], value) for name, value in source.items())


def test_weights_of_the_other_backbone_are_refused(tmp_path: Path) -> None:
    other = students.build("cnn_mobilenet_v2").backbone.state_dict()
    save_file(dict(other), tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"no EfficientNet-B0 file: it lacks|has shape"):
        students.build("cnn_efficientnet_b0", weights=tmp_path / "w.safetensors")


def test_unknown_init_is_refused() -> None:
    with pytest.raises(ValueError, match="'authors' or 'kaiming'"):
        students.build("cnn_mobilenet_v2", init="xavier")
